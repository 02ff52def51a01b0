"""A report is a sequence of versions; decisions point at the one that was seen."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from schemas.codes import Coding
from schemas.delivery import State
from schemas.disclosure import Principal
from schemas.faults import Conflict, Forbidden, InvalidPayload, NotFound
from schemas.observation import ObservationCriteria, Quantity
from schemas.patient import PatientCriteria
from schemas.recognition import Decided, Order
from schemas.report import ReportCriteria, ReportStatus
from schemas.study import StudyCriteria
from schemas.trend import Measure, Reason
from tests.hub.kernel import ADMIN, AUDITOR, TECHNICIAN, Kernel
from tests.hub.test_identity import number

HB = "718-7"


def statuses(hub: Kernel, report_id: int) -> list[ReportStatus]:
    return [record.report.status for record in reversed(hub.query.report_versions(hub.ask(), report_id))]


def test_final_corrected_cancelled_make_three_versions_and_the_last_is_current(hub: Kernel) -> None:
    for status, value in (("final", 130), ("corrected", 103), ("cancelled", 103)):
        receipt = hub.send({"mr": "1", "status": status, "values": {HB: value}})
    (report_id,) = receipt.report_ids
    assert statuses(hub, report_id) == [ReportStatus.FINAL, ReportStatus.CORRECTED, ReportStatus.CANCELLED]
    assert hub.query.report(hub.ask(), report_id).version == 3
    assert hub.query.report(hub.ask(), report_id, 1).report.status is ReportStatus.FINAL


def test_late_preliminary_never_overwrites_a_final(hub: Kernel) -> None:
    hub.send({"mr": "1", "status": "final", "values": {HB: 130}})
    late = hub.send({"mr": "1", "status": "preliminary", "values": {HB: 99}})
    assert late.state is State.INDEXED
    current = hub.query.report(hub.ask(), late.report_ids[0])
    assert (current.version, current.report.status) == (1, ReportStatus.FINAL)
    assert statuses(hub, late.report_ids[0]) == [ReportStatus.FINAL, ReportStatus.PRELIMINARY]


def test_final_that_changes_after_final_is_called_amended(hub: Kernel) -> None:
    hub.send({"mr": "1", "values": {HB: 130}})
    receipt = hub.send({"mr": "1", "values": {HB: 131}})
    assert statuses(hub, receipt.report_ids[0]) == [ReportStatus.FINAL, ReportStatus.AMENDED]


def test_first_final_repeated_after_its_correction_changes_nothing(hub: Kernel) -> None:
    hub.send({"mr": "1", "values": {HB: 130}})
    hub.send({"mr": "1", "status": "corrected", "values": {HB: 103}})
    again = hub.send({"mr": "1", "values": {HB: 130}, "sent": "again under a new message id"})
    assert statuses(hub, again.report_ids[0]) == [ReportStatus.FINAL, ReportStatus.CORRECTED]


def test_correction_repeated_after_the_withdrawal_does_not_bring_the_report_back(hub: Kernel) -> None:
    corrected = {"mr": "1", "status": "corrected", "values": {HB: 103}}
    hub.send({"mr": "1", "values": {HB: 130}})
    hub.send(corrected)
    hub.send({"mr": "1", "status": "cancelled", "values": {HB: 103}})
    again = hub.send({**corrected, "sent": "again under a new message id"})
    assert statuses(hub, again.report_ids[0])[-1] is ReportStatus.CANCELLED


def test_correction_issued_before_the_newest_one_and_repeated_after_it_changes_nothing(hub: Kernel) -> None:
    for message, hour, value in ((1, 10, 103), (2, 11, 108), (3, 10, 103)):
        issued = f"2026-11-20T{hour}:00:00+08:00"
        receipt = hub.send(
            {"mr": "1", "status": "corrected", "values": {HB: value}, "issued": issued, "message": message}
        )
    found = hub.query.report_versions(hub.ask(), receipt.report_ids[0])
    assert [record.report.observations[0].value for record in found] == [
        Quantity(Decimal(108), "g/L"),
        Quantity(Decimal(103), "g/L"),
    ]


def test_results_of_a_withdrawn_report_are_withdrawn_and_feed_no_trend(hub: Kernel) -> None:
    receipt = hub.send({"mr": "1", "values": {HB: 130}})
    hub.send({"mr": "1", "status": "cancelled", "values": {HB: 130}})
    person = hub.query.report(hub.ask(), receipt.report_ids[0]).patient_id
    (found,) = hub.query.observations(hub.ask(), ObservationCriteria(patient_id=person)).items
    assert found.observation.status == "cancelled"
    assert hub.query.trend(hub.ask(), person, Coding(HB, system="http://loinc.org"), Measure("g/L")).series.points == ()


def test_preliminary_result_that_the_final_left_out_is_found_in_the_history_only(hub: Kernel) -> None:
    early = {"mr": "1", "status": "preliminary", "values": {HB: 130, "789-8": 4}}
    (report_id,) = hub.send({**early, "statuses": {HB: "preliminary", "789-8": "preliminary"}}).report_ids
    (_, left_out) = hub.query.report(hub.ask(), report_id).observation_ids
    hub.send({"mr": "1", "values": {HB: 103}})
    with pytest.raises(NotFound):
        hub.query.observation(hub.ask(), left_out)
    assert hub.query.observation(hub.ask(), left_out, version=1).version == 1
    assert "earlier-version-has-more" in hub.query.report(hub.ask(), report_id).report.flags


def test_observations_show_the_current_value_and_keep_the_earlier_one(hub: Kernel) -> None:
    hub.send({"mr": "1", "values": {HB: 130}})
    receipt = hub.send({"mr": "1", "status": "corrected", "values": {HB: 103}})
    found = hub.query.observations(hub.ask(), ObservationCriteria(report_id=receipt.report_ids[0]))
    assert [(o.observation.code.code, o.observation.value) for o in found.items] == [
        (HB, Quantity(Decimal(103), "g/L"))
    ]
    versions = hub.query.observation_versions(hub.ask(), found.items[0].id)
    assert [version.version for version in versions] == [2, 1]
    (record,) = hub.query.reports(hub.ask(), ReportCriteria()).items
    assert record.observation_ids == (found.items[0].id,)


def test_trend_takes_the_same_analyte_in_the_same_unit_across_institutions(hub: Kernel) -> None:
    receipt = hub.send({"mr": "1", "key": "F1", "values": {HB: 130}})
    hub.send({"mr": "1", "key": "F2", "values": {HB: 120, "789-8": 4}})
    person = hub.query.report(hub.ask(), receipt.report_ids[0]).patient_id
    code = Coding(HB, system="http://loinc.org")
    assert {point.value for point in hub.query.trend(hub.ask(), person, code, Measure("g/L")).series.points} == {
        130,
        120,
    }
    assert {point.value for point in hub.query.trend(hub.ask(), person, code, Measure("g/dL")).series.points} == {
        13,
        12,
    }
    (apart,) = hub.query.trend(hub.ask(), person, code, Measure("mmol/L")).apart
    assert (apart.reason, len(apart.points)) == (Reason.UNIT_DIFFERS, 2)


def test_images_then_their_reading_are_one_report(hub: Kernel) -> None:
    images = {"mr": "1", "category": "imaging", "status": "partial", "study": "1.2.3", "accession": "A7"}
    first = hub.send({**images, "sop": "1.2.3.1"})
    hub.send({**images, "sop": "1.2.3.2"})
    assert statuses(hub, first.report_ids[0]) == [ReportStatus.PARTIAL]
    reading = {"mr": "1", "category": "imaging", "key": "R1", "accession": "A7", "conclusion": "未见异常"}
    assert hub.send(reading).report_ids == first.report_ids
    current = hub.query.report(hub.ask(), first.report_ids[0])
    assert (current.report.conclusion, current.report.study_instance_uid) == ("未见异常", "1.2.3")
    (study,) = hub.query.studies(hub.ask(), StudyCriteria(accession_number="A7")).items
    assert (study.instance_count, study.series_count, study.modalities) == (2, 1, ("CT",))


def test_same_instance_again_is_welcome_and_other_content_under_its_uid_is_held(hub: Kernel) -> None:
    images = {"mr": "1", "category": "imaging", "status": "partial", "study": "1.2.3", "sop": "1.2.3.1"}
    hub.send({**images, "pixels": "a"})
    assert hub.send({**images, "pixels": "a", "resent": 1}).state is State.INDEXED
    held = hub.send({**images, "pixels": "b"})
    assert (held.state, held.where) == (State.HELD, "(0008,0018)")
    assert len(hub.query.instances(hub.ask(), "1.2.3")) == 1


def test_study_that_a_second_institution_sends_on_is_one_report(hub: Kernel) -> None:
    known = {"resident": number(), "born": "1980-01-01", "sex": "male", "name": "李明"}
    images = {"category": "imaging", "status": "partial", "study": "1.2.3", "accession": "A7", **known}
    first = hub.send({**images, "mr": "1", "sop": "1.2.3.1"}, source="CHC01")
    for sop in ("1.2.3.1", "1.2.3.2"):
        assert hub.send({**images, "mr": "9", "sop": sop}, source="CHC02").report_ids == first.report_ids
    assert hub.query.reports(hub.ask(), ReportCriteria()).total == 1
    assert len(hub.query.instances(hub.ask(), "1.2.3")) == 2


def test_instance_that_is_sent_on_under_another_number_of_the_patient_is_welcome(hub: Kernel) -> None:
    images = {"category": "imaging", "status": "partial", "study": "1.2.3", "sop": "1.2.3.1"}
    first = hub.send({**images, "mr": "1"}, source="CHC01")
    again = hub.send({**images, "mr": "9"}, source="CHC02")
    assert (again.state, again.report_ids) == (State.INDEXED, first.report_ids)


def test_study_bound_to_another_patient_is_held(hub: Kernel) -> None:
    images = {"category": "imaging", "status": "partial", "study": "1.2.3"}
    hub.send({**images, "mr": "1", "sop": "1.2.3.1"})
    held = hub.send({**images, "mr": "2", "sop": "1.2.3.2", "name": "张伟"})
    assert held.state is State.HELD
    assert len(hub.query.instances(hub.ask(), "1.2.3")) == 1


def test_decision_points_at_the_version_that_was_seen(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {HB: 130}}).report_ids
    made = hub.recognition.decide(
        hub.ask(), report_id=report_id, version=1, verdict=Decided.RECOGNISED, order=Order("O1", HB, "血红蛋白")
    )
    hub.send({"mr": "1", "status": "corrected", "values": {HB: 103}})
    (decision,) = hub.query.decisions(hub.ask(), report_id=report_id)
    assert (decision.id, decision.version, decision.organization) == (made.id, 1, "DH02")
    assert decision.order == Order("O1", HB, "血红蛋白")
    with pytest.raises(Conflict, match="newer version"):
        hub.recognition.decide(hub.ask(), report_id=report_id, version=1, verdict=Decided.RECOGNISED)


def test_refusal_needs_a_reason_of_the_list(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1"}).report_ids
    for reason in ("", "77"):
        with pytest.raises(InvalidPayload, match="reason"):
            hub.recognition.decide(
                hub.ask(), report_id=report_id, version=1, verdict=Decided.NOT_RECOGNISED, reason=reason
            )
    hub.recognition.decide(hub.ask(), report_id=report_id, version=1, verdict=Decided.NOT_RECOGNISED, reason="01")
    assert hub.recognition.counts() == {Decided.NOT_RECOGNISED: 1}


def test_withdrawn_report_cannot_be_recognised(hub: Kernel) -> None:
    hub.send({"mr": "1", "values": {HB: 130}})
    (report_id,) = hub.send({"mr": "1", "status": "cancelled"}).report_ids
    with pytest.raises(Conflict, match="withdrawn"):
        hub.recognition.decide(hub.ask(), report_id=report_id, version=2, verdict=Decided.RECOGNISED)


@pytest.mark.parametrize("who", [TECHNICIAN, ADMIN, AUDITOR])
def test_who_does_not_treat_does_not_decide(hub: Kernel, who: Principal) -> None:
    (report_id,) = hub.send({"mr": "1"}).report_ids
    with pytest.raises(Forbidden):
        hub.recognition.decide(hub.ask(who), report_id=report_id, version=1, verdict=Decided.RECOGNISED)


def test_every_read_leaves_an_audit_record_and_so_does_a_refused_one(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1"}).report_ids
    hub.query.report(hub.ask(), report_id)
    with pytest.raises(Forbidden):
        hub.query.report(hub.ask(AUDITOR), report_id)
    with pytest.raises(NotFound):
        hub.query.report(hub.ask(), 999_999)
    trail = hub.query.audit(hub.ask(AUDITOR)).items
    assert all(r.patient_id for r in trail if r.account == "clinician" and r.outcome == "success")
    entity = f"DiagnosticReport/{report_id}"
    assert [(r.account, r.outcome) for r in trail if r.entity == entity] == [
        ("auditor", "forbidden"),
        ("clinician", "success"),
    ]
    assert any(r.outcome == "not-found" for r in trail)


def test_audit_trail_names_every_patient_who_was_shown(hub: Kernel) -> None:
    images = {"mr": "1", "category": "imaging", "status": "partial", "study": "1.2.3", "sop": "1.2.3.1"}
    (study_report,) = hub.send(images).report_ids
    one = hub.send({"mr": "1", "values": {HB: 130}})
    two = hub.send({"mr": "2", "key": "F2", "values": {HB: 140}})
    person, other_person = (hub.query.report(hub.ask(), each.report_ids[0]).patient_id for each in (one, two))
    asked: dict[str, Callable[[], object]] = {
        "DiagnosticReport": lambda: hub.query.reports(hub.ask(), ReportCriteria()),
        "Observation": lambda: hub.query.observations(hub.ask(), ObservationCriteria()),
        "Patient": lambda: hub.query.find_patients(hub.ask(), PatientCriteria()),
    }
    for entity, ask in asked.items():
        ask()
        assert _named(hub, entity) == {person, other_person}
    (study,) = hub.query.studies(hub.ask(), StudyCriteria()).items
    hub.query.report_versions(hub.ask(), study_report)
    hub.query.study(hub.ask(), study.id)
    hub.query.series(hub.ask(), "1.2.3")
    hub.retrieve.original(hub.ask(), one.delivery_id)
    for entity in (
        f"DiagnosticReport/{study_report}/_history",
        f"ImagingStudy/{study.id}",
        "ImagingStudy?uid=1.2.3",
        f"Delivery/{one.delivery_id}",
    ):
        assert _named(hub, entity) == {person}


def _named(hub: Kernel, entity: str) -> set[int | None]:
    trail = hub.query.audit(hub.ask(AUDITOR), account="clinician").items
    return {record.patient_id for record in trail if record.entity == entity}


def test_who_keeps_the_hub_sees_what_could_not_be_read_and_no_report(hub: Kernel) -> None:
    refused, taken = hub.send(b"not JSON"), hub.send({"mr": "1"})
    assert b"".join(hub.retrieve.original(hub.ask(ADMIN), refused.delivery_id).chunks) == b"not JSON"
    for who in (ADMIN, AUDITOR):
        with pytest.raises(Forbidden):
            hub.retrieve.original(hub.ask(who), taken.delivery_id)
    refusals = [r for r in hub.query.audit(hub.ask(AUDITOR)).items if r.entity == f"Delivery/{taken.delivery_id}"]
    assert {(r.account, r.outcome) for r in refusals} >= {("admin", "forbidden"), ("auditor", "forbidden")}
