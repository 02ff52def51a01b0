"""An ECG is read by a doctor of the centre: what a cart said stays, what the doctor said is never taken away."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import audit
from hub.reading import Readings
from schemas.codes import LOINC, Coding
from schemas.disclosure import Principal, Role
from schemas.ecg_severity import reason, severity
from schemas.ecg_statements import Severity, recognised, statement, statements
from schemas.faults import Conflict, Forbidden, InvalidPayload
from schemas.fhir import diagnostic_report
from schemas.observation import Observation, Quantity
from schemas.organization import Organization, OrganizationKind
from schemas.patient import Patient, PersonName
from schemas.reading import STATUS, Draft, ReadingState, ReadingStep, after
from schemas.recognition import Decided
from schemas.report import Report, ReportCategory, ReportStatus
from storage import organizations, outbox, readings
from tests.hub.kernel import ADMIN, CLINICIAN, TECHNICIAN, Kernel

READER = Principal("ecg-reader", "陆知行", Role.ECG_READER, "DH03")
OTHER = Principal("ecg-reader-2", "沈一诺", Role.ECG_READER, "DH03")
ELSEWHERE = Principal("ecg-reader-3", "何远", Role.ECG_READER, "CHC02")
HR = "8867-4"


@pytest.fixture
def desk(hub: Kernel) -> Readings:
    """The verb, in a district whose DH03 hosts the ECG centre."""
    with hub.database.write() as tx:
        centre = Organization("DH03", "第二人民医院", kind=OrganizationKind.DISTRICT_HOSPITAL, centre="ecg")
        organizations.put_organization(tx, centre)
    return Readings(hub.database)


def ecg(hub: Kernel, key: str = "E1", **more: object) -> int:
    said: dict[str, object] = {"mr": "1", "key": key, "category": "ecg", "status": "preliminary"}
    said |= {"conclusion": "窦性心律", "values": {HR: "72"}, **more}
    receipt = hub.send(said)
    return receipt.report_ids[0]


def test_confirming_makes_a_final_version_of_the_reader_and_keeps_what_the_cart_said(
    hub: Kernel, desk: Readings
) -> None:
    report_id = ecg(hub)
    draft = Draft(1, ("AF", "LBBB"), "建议复查", {HR: Decimal(80)})
    assert desk.confirm(hub.ask(READER), report_id, draft) == 2
    new, old = hub.query.report_versions(hub.ask(), report_id)
    assert (old.report.status, old.report.conclusion) == (ReportStatus.PRELIMINARY, "窦性心律")
    assert old.report.observations[0].value == Quantity(Decimal(72), "g/L")
    assert (new.current, new.report.status) == (True, ReportStatus.FINAL)
    assert new.report.conclusion == "心房颤动\n完全性左束支传导阻滞\n建议复查"
    assert [each.code for each in new.report.statements] == ["AF", "LBBB"]
    assert new.report.performers == ("陆知行",)
    assert new.report.overread is not None
    assert (new.report.overread.organization, new.report.overread.of_version) == ("DH03", 1)
    assert (new.report.observations[0].value, new.report.observations[0].measured_by) == (
        Quantity(Decimal(80), "g/L"),
        "陆知行",
    )
    shown = diagnostic_report.to_fhir(new)
    assert shown["status"] == "final"
    assert shown["resultsInterpreter"][0]["identifier"]["value"] == "ecg-reader"
    assert [each["coding"][0]["code"] for each in shown["conclusionCode"]] == ["AF", "LBBB"]
    assert diagnostic_report.from_fhir(shown, new.report.patient).overread == new.report.overread
    # Confirmed once more, it is amended; a third reader's screen of the second version is told.
    assert desk.confirm(hub.ask(OTHER), report_id, Draft(2, ("SR",))) == 3
    assert hub.query.report(hub.ask(), report_id).report.status is ReportStatus.AMENDED
    with pytest.raises(Conflict):
        desk.confirm(hub.ask(OTHER), report_id, Draft(2, ("SR",)))


def test_whoever_decided_on_the_machines_version_is_told(hub: Kernel, desk: Readings) -> None:
    report_id = ecg(hub)
    decision = hub.recognition.decide(hub.ask(CLINICIAN), report_id=report_id, version=1, verdict=Decided.RECOGNISED)
    desk.confirm(hub.ask(READER), report_id, Draft(1, ("STEMI",)))
    with hub.database.read() as tx:
        told = [each for each in outbox.pending(tx, 100) if each.topic == "report.changed"]
    assert told[-1].payload["decisions"] == [decision.id]


def test_a_late_final_of_the_cart_stands_beside_the_confirmed_reading(hub: Kernel, desk: Readings) -> None:
    report_id = ecg(hub)
    desk.confirm(hub.ask(READER), report_id, Draft(1, ("AF",)))
    ecg(hub)
    assert len(hub.query.report_versions(hub.ask(), report_id)) == 2
    for _ in range(2):
        ecg(hub, status="final", conclusion="正常心电图")
    versions = hub.query.report_versions(hub.ask(), report_id)
    assert [(each.version, each.current) for each in versions] == [(3, False), (2, True), (1, False)]
    assert hub.query.report(hub.ask(), report_id).report.conclusion == "心房颤动"
    (waiting,) = desk.waiting(hub.ask(READER)).items
    assert (waiting.record.id, waiting.reading.later) == (report_id, 3)
    desk.confirm(hub.ask(READER), report_id, Draft(2, ("AF",)))
    assert desk.waiting(hub.ask(READER)).total == 0
    # What its source takes back, perhaps as another patient's, is taken back.
    ecg(hub, status="entered-in-error")
    assert hub.query.report(hub.ask(), report_id).report.status is ReportStatus.ENTERED_IN_ERROR


def test_two_readers_do_not_read_the_same_tracing(hub: Kernel, desk: Readings, monkeypatch: pytest.MonkeyPatch) -> None:
    report_id = ecg(hub)
    desk.claim(hub.ask(READER), report_id)
    with pytest.raises(Conflict):
        desk.claim(hub.ask(OTHER), report_id)
    with pytest.raises(Conflict):
        desk.confirm(hub.ask(OTHER), report_id, Draft(1, ("SR",)))
    claim = desk.reading(hub.ask(OTHER), report_id).claim
    assert claim is not None
    assert claim.name == "陆知行"
    later = audit.now() + dt.timedelta(minutes=11)
    monkeypatch.setattr(audit, "now", lambda: later)
    desk.claim(hub.ask(OTHER), report_id)
    desk.release(hub.ask(OTHER), report_id)
    assert desk.reading(hub.ask(READER), report_id).claim is None


def test_only_readers_of_the_centre_confirm(hub: Kernel, desk: Readings) -> None:
    report_id = ecg(hub)
    for who in (CLINICIAN, TECHNICIAN, ADMIN, ELSEWHERE):
        for deed in (
            lambda who=who: desk.confirm(hub.ask(who), report_id, Draft(1, ("SR",))),
            lambda who=who: desk.claim(hub.ask(who), report_id),
            lambda who=who: desk.withdraw(hub.ask(who), report_id, 1, "导联接错"),
        ):
            with pytest.raises(Forbidden):
                deed()
    assert hub.query.report(hub.ask(), report_id).version == 1


def test_a_draft_that_cannot_be_meant_is_refused(hub: Kernel, desk: Readings) -> None:
    report_id = ecg(hub)
    drafts = (
        Draft(1),
        Draft(1, ("NOSUCH",)),
        Draft(1, ("SR",), measured={HR: Decimal(7200)}),
        Draft(1, ("SR",), measured={HR: Decimal("NaN")}),
        Draft(1, ("SR",), measured={"718-7": Decimal(12)}),
        Draft(1, ("SR",), "长" * 4001),
    )
    for draft in drafts:
        with pytest.raises(InvalidPayload):
            desk.confirm(hub.ask(READER), report_id, draft)
    with pytest.raises(InvalidPayload):
        desk.withdraw(hub.ask(READER), report_id, 1, " ")
    assert desk.withdraw(hub.ask(READER), report_id, 1, "左右手反接") == 2
    with pytest.raises(Conflict):
        desk.confirm(hub.ask(READER), report_id, Draft(2, ("SR",)))


def test_the_list_begins_with_what_is_critical(hub: Kernel, desk: Readings) -> None:
    normal = ecg(hub, "E1")
    slow = ecg(hub, "E2", values={HR: "38"})
    infarct = ecg(hub, "E3", conclusion="急性下壁心肌梗死")
    unknown = ecg(hub, "E4", conclusion="something that nobody knows")
    done = ecg(hub, "E5", status="final", conclusion="急性心肌梗死")
    found = desk.waiting(hub.ask(READER)).items
    assert [each.record.id for each in found] == [slow, infarct, unknown, normal]
    critical = desk.waiting(hub.ask(READER), no_less=Severity.CRITICAL)
    assert (critical.total, [each.record.id for each in critical.items]) == (2, [slow, infarct])
    assert desk.waiting(hub.ask(READER), organization="CHC02").total == 0
    assert done not in {each.record.id for each in found}
    with pytest.raises(Forbidden):
        desk.waiting(hub.ask(CLINICIAN))


def test_what_is_decided_and_what_is_written_down_commit_together(
    hub: Kernel, desk: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_id = ecg(hub)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the audit record cannot be written")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError):
        desk.confirm(hub.ask(READER), report_id, Draft(1, ("SR",)))
    with hub.database.read() as tx:
        assert readings.of_report(tx, hub.ask(READER), report_id).state is ReadingState.UNCONFIRMED
    assert hub.query.report(hub.ask(), report_id).version == 1


@given(st.lists(st.sampled_from(ReadingStep), max_size=12))
def test_no_path_leads_back_to_unconfirmed_or_out_of_withdrawn(steps: list[ReadingStep]) -> None:
    state, confirmed = ReadingState.UNCONFIRMED, 0
    for each in steps:
        if state is ReadingState.WITHDRAWN:
            with pytest.raises(Conflict):
                after(state, each)
            continue
        state = after(state, each)
        confirmed += each is ReadingStep.CONFIRM
        expected = (ReadingState.UNCONFIRMED, ReadingState.CONFIRMED, ReadingState.AMENDED)[min(confirmed, 2)]
        assert state is (ReadingState.WITHDRAWN if each is ReadingStep.WITHDRAW else expected)
        assert state is ReadingState.UNCONFIRMED or state in STATUS


def test_the_list_of_statements_is_whole() -> None:
    found = statements()
    assert len(found) >= 120
    assert len({each.code for each in found}) == len({each.acronym for each in found}) == len(found)
    for each in found:
        assert statement(each.code) is each
        for wording in (each.zh, each.en, *each.also):
            assert recognised(wording) == ((each,), ""), wording


def test_only_whole_wordings_are_taken_for_a_statement() -> None:
    known, rest = recognised("窦性心律，电轴左偏\nNo ST elevation\n房颤可能")
    assert ([each.code for each in known], rest) == (["SR", "LAD"], "No ST elevation\n房颤可能")


def _report(conclusion: str, **values: str) -> Report:
    made = tuple(
        Observation(Coding(code.replace("_", "-").lstrip("l"), "", LOINC), Quantity(Decimal(value)))
        for code, value in values.items()
    )
    nobody = Patient((), PersonName("某人"))
    return Report(
        "k",
        ReportCategory.ECG,
        ReportStatus.PRELIMINARY,
        Coding(""),
        nobody,
        "C",
        conclusion=conclusion,
        observations=made,
    )


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (_report("正常心电图"), Severity.NORMAL),
        (_report("Third degree AV block suspected"), Severity.CRITICAL),
        (_report("Sinus rhythm", l8636_3="500"), Severity.CRITICAL),
        (_report("Sinus rhythm", l8636_3="499"), Severity.NORMAL),
        (_report("Sinus rhythm", l8867_4="40"), Severity.NORMAL),
        (_report("Sinus rhythm", l8867_4="39"), Severity.CRITICAL),
        (_report("Sinus rhythm", l8867_4="151"), Severity.CRITICAL),
        (_report(""), Severity.ABNORMAL),
    ],
)
def test_severity_follows_from_statements_words_and_measurements(report: Report, expected: Severity) -> None:
    assert severity(report) is expected


DENIED = (
    "未见急性心肌梗死征象",
    "无明显ST段抬高、急性心肌梗死",
    "未见室性心动过速或心室颤动",
    "没有室性心动过速",
    "已排除急性心肌梗死",
    "No evidence of acute MI",
    "no significant ST elevation or acute infarct",
    "Not a STEMI",
    "without ventricular tachycardia",
)
# What a denial does not reach, or does not deny, is as pressing as ever.
PRESSING = (
    "不能排除急性心肌梗死",
    "无法排除急性心肌梗死",
    "急性心肌梗死不除外",
    "请排除急性心肌梗死",
    "可疑急性心肌梗死",
    "无P波，室性心动过速",
    "无P波室性心动过速",
    "未见ST段抬高，室性心动过速",
    "未见急性心肌梗死。急性心肌梗死待复查",
    "不无急性心肌梗死",
    "无明显变化的急性心肌梗死",
    "Cannot exclude acute MI",
    "cannot rule out STEMI",
    "possible acute MI",
    "no P waves and ventricular tachycardia",
    "no change in acute infarct",
    "No ischemia but ventricular tachycardia",
    "no longer acute MI",
    "not only ischemia, complete heart block",
)


@pytest.mark.parametrize("conclusion", DENIED)
def test_what_a_cart_denies_does_not_come_first(conclusion: str) -> None:
    assert severity(_report(conclusion)) is Severity.ABNORMAL


@pytest.mark.parametrize("conclusion", PRESSING)
def test_what_it_only_seems_to_deny_still_does(conclusion: str) -> None:
    assert severity(_report(conclusion)) is Severity.CRITICAL


def test_the_list_can_say_why() -> None:
    stated = reason(_report("室性心动过速"))
    assert stated.statement
    assert stated.statement.zh == "室性心动过速"
    assert reason(_report("提示急性心肌梗死可能，请结合临床")).words == "急性心肌梗"
    passed = reason(_report("Sinus rhythm", l8867_4="152"))
    assert passed.rule
    assert (passed.rule.measure, passed.value) == ("8867-4", Decimal(152))
    unknown = reason(_report("something that nobody has heard of"))
    assert (unknown.statement, unknown.words, unknown.rule) == (None, "", None)
