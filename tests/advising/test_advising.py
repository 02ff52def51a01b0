"""What a doctor is told before ordering: everything of the person, judged; and the ledger knows what was shown."""

import datetime as dt
from collections.abc import Iterator

import pytest

from hub import audit
from hub.access import disclosure_for
from hub.advising import Advising
from hub.advising.evidence import Evidence
from hub.resolution import Resolution
from schemas.catalogue import Setting
from schemas.codes import LOINC, Coding
from schemas.disclosure import Action
from schemas.documents import from_json
from schemas.faults import Conflict, Forbidden
from schemas.identifiers import RESIDENT_ID, Identifier
from schemas.mapping import MappingKind
from schemas.observation import ObservationCriteria
from schemas.ordering import PlannedOrder
from schemas.quality import Standing
from schemas.verdict import Advice, Context, Rule
from storage import audit as trail
from storage import catalogue, ledger, mappings
from tests.engines import Engines
from tests.hub.kernel import ADMIN, AUDITOR, TECHNICIAN
from tests.hub.laboratory import Laboratory

from .laboratories import DOCTOR, HB, NA, NOW, RESIDENT, WBC, Desk, K, message, order, passed, register

DAY = dt.timedelta(days=1)
NEVER = (Advice.NOT_SUGGESTED,)


@pytest.fixture
def lab(migrated_urls: Engines) -> Iterator[Laboratory]:
    made = Laboratory(migrated_urls)
    register(made.kernel.database)
    yield made
    made.close()


@pytest.fixture
def desk(lab: Laboratory) -> Desk:
    return Desk(Advising(lab.kernel.database))


def test_a_result_of_another_institution_answers_the_order(lab: Laboratory, desk: Desk) -> None:
    lab.send(message({HB: "128"}))
    (answer,) = desk.ask(order("L-718-7"))
    assert (answer.advice, answer.covered) == (Advice.REUSABLE, True)
    (found,) = answer.shown
    assert (found.prior.issuer.code, found.verdict.rule) == ("CHC01", Rule.WINDOW)


def test_a_panel_is_covered_by_two_reports_of_one_person_known_to_two_laboratories(lab: Laboratory, desk: Desk) -> None:
    passed(lab.kernel.database, *(("CHC01", f"L-{c}") for c in ("2075-0",)))
    lab.send(message({NA: "140"}))
    lab.send(message({K: "4.1", "2075-0": "101"}, number="F2", sender="CHC02"), "CHC02")
    (answer,) = desk.ask(order("P-ELEC"))
    assert [line.item.code for line in answer.lines if line.best] == ["L-2823-3", "L-2951-2", "L-2075-0"]
    assert answer.missing == (answer.lines[2].item,)  # CHC02 never took part in chloride's assessment
    passed(lab.kernel.database, ("CHC02", "L-2075-0"))
    (answer,) = desk.ask(order("P-ELEC"))
    assert (answer.covered, answer.advice) == (True, Advice.WITH_CAUTION)  # potassium changes fast
    assert {each.prior.issuer.code for each in answer.shown} == {"CHC01", "CHC02"}


def test_what_must_never_be_suggested(lab: Laboratory, desk: Desk) -> None:
    lab.send(message({HB: "128"}, number="F1"))
    assert desk.ask(order("L-718-7"))[0].covered
    for context in Context:
        assert not desk.ask(order("L-718-7", Setting.OUTPATIENT, context))[0].covered
    lab.send(message({WBC: "7.1"}, number="F2", status="P"))
    assert not desk.ask(order("L-6690-2"))[0].covered
    lab.send(message({K: "2.6"}, number="F3", flag="LL"))
    assert desk.ask(order("L-2823-3"))[0].lines[0].judged[0].verdict.rule is Rule.CRITICAL
    passed(lab.kernel.database, ("CHC01", "L-718-7"), standing=Standing.FAILED)
    assert desk.ask(order("L-718-7"))[0].lines[0].judged[0].verdict.rule is Rule.QUALITY


def test_an_identity_in_doubt_makes_everything_of_the_person_doubtful(lab: Laboratory, desk: Desk) -> None:
    lab.send(message({HB: "128"}))
    assert desk.ask(order("L-718-7"))[0].covered
    # The same number, somebody else's birth date: one of the two is wrong.
    other = f"PID|1||Q9^^^CHC02^MR~{RESIDENT}^^^^NI||王方||19700101|F"
    lab.send(message({NA: "140"}, number="F9", sender="CHC02", pid=other), "CHC02")
    (answer,) = desk.ask(order("L-718-7"))
    assert (answer.advice, answer.shown[0].verdict.rule) == (Advice.NOT_SUGGESTED, Rule.IDENTITY)


def test_a_correction_that_names_another_patient_puts_the_report_in_doubt_until_a_person_has_looked(
    lab: Laboratory, desk: Desk
) -> None:
    lab.send(message({HB: "128"}))
    lab.send(message({NA: "140"}, number="F2"))
    held = lab.send(message({HB: "128"}, status="C", pid="PID|1||P7^^^CHC01^MR||赵六||19590102|M"))
    (answer,) = desk.ask(order("L-718-7"))
    assert (answer.advice, answer.shown[0].verdict.rule) == (Advice.NOT_SUGGESTED, Rule.IDENTITY)
    assert desk.ask(order("L-2951-2"))[0].covered  # another tube of the same patient

    resolution, clerk = Resolution(lab.kernel.database), disclosure_for(ADMIN)
    lab.kernel.ingest.replay(clerk, held.delivery_id)  # nothing has changed: it is held again
    assert not desk.ask(order("L-718-7"))[0].covered
    with pytest.raises(Forbidden):
        resolution.keep(desk.doctor, held.delivery_id, "asked the laboratory")
    resolution.keep(clerk, held.delivery_id, "asked the laboratory")
    assert desk.ask(order("L-718-7"))[0].covered
    with pytest.raises(Conflict):
        resolution.keep(clerk, held.delivery_id)
    lab.kernel.ingest.replay(clerk, held.delivery_id)  # what a person has settled stays settled
    assert desk.ask(order("L-718-7"))[0].covered


def test_a_correction_is_judged_and_not_what_it_corrected(lab: Laboratory, desk: Desk) -> None:
    lab.send(message({K: "3.4"}))
    (before,) = desk.ask(order("L-2823-3"))
    lab.send(message({K: "6.9"}, status="C", flag="HH"))
    (after,) = desk.ask(order("L-2823-3"))
    assert before.covered
    assert (after.covered, [each.prior.record.version for each in after.shown]) == (False, [2])


def test_a_result_under_a_laboratorys_own_code_is_found_once_it_is_mapped(lab: Laboratory, desk: Desk) -> None:
    own = (
        message({"1001": "7.2"}).replace(b"1001^1001^LN", "1001^白细胞^L".encode()).replace(b"|7.2||", b"|7.2|10*9/L|")
    )
    lab.send(own)
    assert desk.ask(order("L-6690-2"))[0].shown == ()
    found = lab.kernel.query.observations(lab.kernel.ask(), ObservationCriteria(patient_id=1))
    own_system = found.items[0].observation.code.system
    with lab.kernel.database.write() as tx:
        means = Coding("6690-2", "白细胞", LOINC)
        mappings.add(tx, MappingKind.CODE, Coding("1001", system=own_system), means, decided_by="lab", now=NOW)
    assert desk.ask(order("L-6690-2"))[0].covered


def test_who_is_unknown_and_who_has_nothing_look_alike(lab: Laboratory, desk: Desk) -> None:
    lab.send(message({HB: "128"}))
    nothing, nobody = desk.ask(order("L-2951-2")), desk.ask(order("L-2951-2"), patient=999)
    assert nothing == nobody
    assert nothing[0].shown == ()


def test_a_patient_is_known_by_a_number_as_well(lab: Laboratory, desk: Desk) -> None:
    lab.send(message({HB: "128"}))
    orders = [order("L-718-7")]
    for identifier in (Identifier(RESIDENT_ID, RESIDENT), Identifier("urn:dxhub:authority:CHC01", "P1")):
        assert desk.advising.verdicts(desk.doctor, orders, identifier=identifier)[0].covered
    assert not desk.advising.verdicts(desk.doctor, orders, identifier=Identifier(RESIDENT_ID, "1"))[0].covered


def test_what_is_in_no_catalogue_is_said_to_be_so(lab: Laboratory, desk: Desk) -> None:
    lab.send(message({HB: "128"}))
    (answer,) = desk.ask(PlannedOrder((Coding("", "会诊费"),), Setting.OUTPATIENT))
    assert (answer.item, answer.advice, answer.display) == (None, Advice.NOT_SUGGESTED, "会诊费")


def test_an_order_that_tells_no_setting_is_judged_as_strictly_as_any(lab: Laboratory, desk: Desk) -> None:
    lab.send(message({HB: "128"}))
    assert desk.ask(order("L-718-7", None))[0].advice is Advice.NOT_SUGGESTED


def test_the_audit_trail_and_the_ledger_know_what_was_shown(lab: Laboratory, desk: Desk) -> None:
    lab.send(message({HB: "128"}))
    desk.ask(order("L-718-7", number="O1"))
    with lab.kernel.database.write() as tx:
        (shown,) = ledger.showings(tx, desk.doctor, report_id=1)
        entries = trail.records(tx, lab.kernel.ask(AUDITOR), patient_id=1).items
    assert (shown.account, shown.showing.item, shown.showing.order_number) == ("clinician", "L-718-7", "O1")
    assert shown.showing.advice == Advice.REUSABLE
    assert any(each.entity == "Verdict" and each.action is Action.SEARCH for each in entries)


def test_a_verdict_follows_again_from_the_versions_that_it_names(lab: Laboratory, desk: Desk) -> None:
    lab.send(message({K: "4.1", HB: "128"}))
    (answer,) = desk.ask(order("L-2823-3", number="O1"))
    given = answer.shown[0].verdict
    with lab.kernel.database.write() as tx:
        (shown,) = ledger.showings(tx, desk.doctor, report_id=1)
        stays = catalogue.catalogue(tx).items["L-2823-3"]
    evidence = from_json(Evidence, shown.showing.evidence)
    assert evidence.verdicts == (given,)
    # Everything moves on: the catalogue, the quality record, the report.
    with lab.kernel.database.write() as tx:
        catalogue.put(tx, stays, changed_by="quality", reason="none", now=audit.now(), retired=True)
    passed(lab.kernel.database, ("CHC01", "L-2823-3"), standing=Standing.FAILED)
    lab.send(message({K: "6.9", HB: "128"}, status="C"))
    assert desk.ask(order("L-2823-3"))[0].item is None
    assert desk.advising.reproduce(desk.doctor, evidence.verdicts[0]) == given


def test_only_who_decides_is_advised(lab: Laboratory, desk: Desk) -> None:
    with pytest.raises(Forbidden):
        desk.advising.verdicts(lab.kernel.ask(TECHNICIAN), [order("L-718-7")], patient_id=1)
    assert DOCTOR.account == "clinician"


def test_nothing_older_than_the_newest_few_of_a_code_is_read(lab: Laboratory, desk: Desk) -> None:
    for number in range(6):
        lab.send(message({HB: f"{120 + number}"}, number=f"F{number}", age=number * DAY))
    (answer,) = desk.ask(order("L-718-7"))
    assert [str(each.prior.observation.value.value) for each in answer.shown] == ["120", "121", "122", "123"]  # type: ignore[union-attr]
