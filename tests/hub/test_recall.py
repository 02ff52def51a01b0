"""A correction, a withdrawal, a failed assessment, an undone link: whoever relied on what was is told."""

import datetime as dt
from dataclasses import replace

import pytest

from hub import audit
from hub.recall import Raising, Recall, Telling
from schemas.disclosure import Principal, Role
from schemas.faults import Conflict, Forbidden, InvalidPayload, NotFound
from schemas.ledger import Showing, Shown
from schemas.notice import Change, Notice, NoticeKind, Reliance
from schemas.recognition import Decided, Order
from storage import ledger, outbox
from tests.hub.kernel import CLINICIAN, Kernel, other

K = "2823-3"
COLLEAGUE = replace(CLINICIAN, account="colleague")
ELSEWHERE = other(CLINICIAN, "CHC02")
QUALITY = Principal("quality", "质控员", Role.QUALITY, "DH02")


def raised(hub: Kernel) -> None:
    """What the background part does within a second or two."""
    while Raising(hub.database, dt.timedelta(0))():
        pass


def reuse(hub: Kernel, report_id: int, who: Principal = CLINICIAN, version: int = 1) -> None:
    hub.recognition.decide(hub.ask(who), report_id=report_id, version=version, verdict=Decided.RECOGNISED)


def inbox(hub: Kernel, who: Principal = CLINICIAN) -> tuple[Notice, ...]:
    return Recall(hub.database).inbox(hub.ask(who))


def test_a_correction_reaches_everyone_who_reused_the_first_version(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4"}}).report_ids
    for who in (CLINICIAN, ELSEWHERE):
        reuse(hub, report_id, who)
    hub.send({"mr": "1", "status": "corrected", "values": {K: "6.1"}})
    raised(hub)
    recall = Recall(hub.database)
    for who in (CLINICIAN, ELSEWHERE):
        (notice,) = inbox(hub, who)
        assert (notice.kind, notice.reliance) == (NoticeKind.CORRECTED, Reliance.REUSED)
        assert (notice.seen_version, notice.version) == (1, 2)
        assert notice.changes == (Change(K, "3.4 g/L", "6.1 g/L"),)
        assert recall.waiting(hub.ask(who)).mine == 1
        recall.acknowledge(hub.ask(who), notice.id)
        assert recall.waiting(hub.ask(who)).mine == 0
    known = recall.of_report(hub.ask(), report_id)
    assert {(each.organization, each.acknowledged_by) for each in known} == {
        ("DH02", "clinician"),
        ("CHC02", "clinician-CHC02"),
    }
    assert all(each.acknowledged_at for each in known)


def test_whoever_only_read_it_is_told_of_another_value_and_not_of_more(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "status": "preliminary", "values": {K: "3.4"}}).report_ids
    hub.query.report(hub.ask(), report_id)
    hub.send({"mr": "1", "status": "final", "values": {K: "3.4", "2951-2": "140"}})
    raised(hub)
    assert inbox(hub) == ()
    hub.query.report(hub.ask(), report_id)
    hub.send({"mr": "1", "status": "corrected", "values": {K: "6.1", "2951-2": "140"}})
    raised(hub)
    (notice,) = inbox(hub)
    assert (notice.reliance, notice.seen_version) == (Reliance.OPENED, 2)


def test_whoever_has_seen_the_correction_needs_no_notice_of_it(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4"}}).report_ids
    hub.query.report(hub.ask(), report_id)
    hub.send({"mr": "1", "status": "corrected", "values": {K: "6.1"}})
    hub.query.report(hub.ask(), report_id)
    raised(hub)
    assert inbox(hub) == ()


def test_a_withdrawal_is_told_with_what_was_there(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4"}}).report_ids
    reuse(hub, report_id)
    hub.send({"mr": "1", "status": "cancelled"})
    raised(hub)
    (notice,) = inbox(hub)
    assert notice.kind is NoticeKind.WITHDRAWN
    assert notice.changes[0] == Change("status", "final", "cancelled")


def test_a_second_correction_takes_the_place_of_the_first_notice(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4"}}).report_ids
    reuse(hub, report_id)
    for value in ("6.1", "5.9"):
        hub.send({"mr": "1", "status": "corrected", "values": {K: value}})
        raised(hub)
    (notice,) = inbox(hub)
    assert notice.changes == (Change(K, "3.4 g/L", "5.9 g/L"),)
    recall = Recall(hub.database)
    recall.acknowledge(hub.ask(), notice.id)
    assert recall.waiting(hub.ask()).institution == 0


def test_whoever_was_told_of_a_correction_is_told_when_it_is_taken_back(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4"}}).report_ids
    reuse(hub, report_id)
    recall = Recall(hub.database)
    hub.send({"mr": "1", "status": "corrected", "values": {K: "6.1"}})
    raised(hub)
    recall.acknowledge(hub.ask(), inbox(hub)[0].id)
    hub.send({"mr": "1", "status": "corrected", "values": {K: "3.4"}})
    raised(hub)
    assert recall.waiting(hub.ask()).mine == 1
    notice = inbox(hub)[0]
    assert (notice.seen_version, notice.version, notice.acknowledged_at) == (2, 3, None)
    assert notice.changes == (Change(K, "6.1 g/L", "3.4 g/L"),)


def test_the_same_change_is_told_once_however_often_the_hub_is_killed(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4"}}).report_ids
    reuse(hub, report_id)
    hub.send({"mr": "1", "status": "corrected", "values": {K: "6.1"}})
    raised(hub)
    with hub.database.write() as tx:
        tx.exec_driver_sql("update outbox set noticed_at = null where topic = 'report.changed'")
    raised(hub)
    assert len(inbox(hub)) == 1


def test_a_colleague_may_acknowledge_with_a_word_and_another_institution_sees_nothing(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4"}}).report_ids
    reuse(hub, report_id)
    hub.send({"mr": "1", "status": "corrected", "values": {K: "6.1"}})
    raised(hub)
    (notice,) = inbox(hub)
    recall = Recall(hub.database)
    with pytest.raises(NotFound):
        recall.acknowledge(hub.ask(ELSEWHERE), notice.id)
    with pytest.raises(NotFound):
        recall.notice(hub.ask(ELSEWHERE), notice.id)
    assert inbox(hub, COLLEAGUE) == ()
    assert recall.inbox(hub.ask(COLLEAGUE), institution=True) == (notice,)
    with pytest.raises(Forbidden, match="remark"):
        recall.acknowledge(hub.ask(COLLEAGUE), notice.id)
    with pytest.raises(Forbidden):
        recall.acknowledge(hub.ask(QUALITY), notice.id)
    done = recall.acknowledge(hub.ask(COLLEAGUE), notice.id, "王医生休假，已通知患者")
    assert (done.account, done.acknowledged_by) == ("clinician", "colleague")
    with pytest.raises(Conflict):
        recall.acknowledge(hub.ask(), notice.id)


def test_what_nobody_acknowledges_is_shown_to_the_quality_officer(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4"}}).report_ids
    reuse(hub, report_id)
    hub.query.report(hub.ask(COLLEAGUE), report_id)
    hub.send({"mr": "1", "status": "corrected", "values": {K: "6.1"}})
    raised(hub)
    assert Telling(hub.database, dt.timedelta(hours=24)).escalate() == 0
    assert Telling(hub.database, dt.timedelta(0)).escalate() == 1
    late = [each for each in inbox(hub, QUALITY) if each.escalated_at]
    assert [(each.account, each.reliance) for each in late] == [("clinician", Reliance.REUSED)]


def test_an_assessment_that_failed_afterwards_is_told_to_whoever_reused_that_item_in_that_time(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4"}}).report_ids
    hub.recognition.decide(hub.ask(), report_id=report_id, version=1, verdict=Decided.RECOGNISED, item="L-2823-3")
    for since, until in (("2026-01-01", "2026-11-20"), ("2026-11-20", "2026-12-01")):
        told: dict[str, object] = {
            "organization": "CHC01",
            "item": "L-2823-3",
            "standing": "failed",
            "since": since,
            "until": until,
        }
        with hub.database.write() as tx:
            outbox.add(tx, "quality.changed", told, audit.now())
        raised(hub)
        assert len(inbox(hub)) == (until == "2026-12-01")
    assert inbox(hub)[0].kind is NoticeKind.QUALITY


def test_whoever_reused_a_whole_report_is_told_of_every_item_of_it_that_failed(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4", "2951-2": "140"}}).report_ids
    reuse(hub, report_id)
    year = {"since": "2026-01-01", "until": "2027-01-01", "standing": "failed", "organization": "CHC01"}
    for item, number in (("L-718-7", 0), (f"L-{K}", 1), ("L-2951-2", 2)):
        with hub.database.write() as tx:
            outbox.add(tx, "quality.changed", {**year, "item": item}, audit.now())
        raised(hub)
        with hub.database.read() as tx:
            assert tx.exec_driver_sql("select count(*) from notice").scalar() == number, item


def test_whoever_reused_for_two_who_were_held_for_one_is_told_when_they_are_apart(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4"}}).report_ids
    reuse(hub, report_id)
    with hub.database.write() as tx:
        (row,) = tx.exec_driver_sql("select patient_id from report").all()
        outbox.add(tx, "identity.changed", {"patients": [row[0]]}, audit.now())
    raised(hub)
    (notice,) = inbox(hub)
    assert (notice.kind, notice.changes) == (NoticeKind.IDENTITY, (Change("patient"),))


def test_an_entry_that_cannot_be_understood_keeps_nobody_from_hearing(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4"}}).report_ids
    reuse(hub, report_id)
    with hub.database.write() as tx:
        outbox.add(tx, "quality.changed", {"organization": "CHC01"}, audit.now())
    hub.send({"mr": "1", "status": "corrected", "values": {K: "6.1"}})
    raising = Raising(hub.database, dt.timedelta(0))
    raising()
    raising()
    assert len(inbox(hub)) == 1


def test_a_decision_remembers_the_advice_that_was_shown_and_says_what_goes_into_the_record(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {K: "3.4"}}).report_ids
    person = hub.query.report(hub.ask(), report_id).patient_id
    advice = Showing(report_id, 1, person, "L-2823-3", "reusable", Shown.PORTAL, b"{}", "O1")
    with hub.database.write() as tx:
        for _ in range(2):
            ledger.add_showings(tx, hub.ask(), [advice], audit.now())
    reuse(hub, report_id)
    (made,) = hub.query.decisions(hub.ask(), report_id=report_id)
    assert (made.item, made.advice) == ("L-2823-3", "reusable")
    with hub.database.write() as tx:
        (shown,) = ledger.showings(tx, hub.ask(), report_id=report_id)
    assert shown.id == made.showing_id
    assert made.record_text == (
        f"患者2026年11月20日于CHC01所做“血常规”（报告号{report_id}，第1版）结果经接诊医师审阅予以互认，本次不再重复检查检验。"
    )
    assert "不用重复做" in made.patient_text


def test_continuous_monitoring_needs_a_diagnosis(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1"}).report_ids

    def refuse(order: Order) -> None:
        hub.recognition.decide(
            hub.ask(), report_id=report_id, version=1, verdict=Decided.NOT_RECOGNISED, reason="99", order=order
        )

    with pytest.raises(InvalidPayload, match="diagnosis"):
        refuse(Order())
    refuse(Order(diagnosis="I50.9"))


def test_openings_are_one_a_day_for_each_who_treats(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1"}).report_ids
    for who in (CLINICIAN, CLINICIAN, ELSEWHERE, QUALITY):
        hub.query.report(hub.ask(who), report_id)
    with hub.database.write() as tx:
        found = ledger.openings(tx, hub.ask(), report_id)
    assert [(each.organization, each.account, each.version) for each in found] == [
        ("DH02", "clinician", 1),
        ("CHC02", "clinician-CHC02", 1),
    ]
