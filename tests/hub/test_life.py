"""The life of a result: whatever arrives, in whatever order, the right word of its source is the current one."""

import datetime as dt
import itertools
import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.ingest.life import Step, precedes, step
from schemas.delivery import State
from schemas.observation import Quantity
from schemas.recognition import Decided
from schemas.report import Report, ReportCategory, ReportRecord, ReportStatus
from storage import tables as t
from tests.hub.kernel import OBSERVED, Kernel

_KEYS = itertools.count()
HB, PLT, WBC = "718-7", "777-3", "6690-2"
BLANK = Report("F1", ReportCategory.LABORATORY, ReportStatus.FINAL, None, None, "CHC01")  # type: ignore[arg-type]


def at(minute: int) -> str:
    return f"2026-11-20T10:{minute:02}:00+08:00"


def versions(hub: Kernel, report_id: int) -> list[ReportRecord]:
    """In the order in which they were recorded."""
    return list(reversed(hub.query.report_versions(hub.ask(), report_id)))


def shown(hub: Kernel, report_id: int) -> dict[str, tuple[str, str]]:
    """What a clinician sees now: value and status by code."""
    found = hub.query.report(hub.ask(), report_id).report.observations
    return {each.code.code: (str(getattr(each.value, "value", "")), each.status) for each in found}


@pytest.mark.parametrize(
    ("current", "arrives", "expected"),
    [
        ("registered", "preliminary", Step.NEXT),
        ("partial", "registered", Step.EARLIER),
        ("preliminary", "final", Step.NEXT),
        ("final", "preliminary", Step.EARLIER),
        ("final", "final", Step.AMEND),
        ("final", "corrected", Step.NEXT),
        ("corrected", "final", Step.AMEND),
        ("amended", "partial", Step.EARLIER),
        ("final", "cancelled", Step.NEXT),
        ("cancelled", "final", Step.EARLIER),
        ("cancelled", "corrected", Step.EARLIER),
        ("entered-in-error", "preliminary", Step.EARLIER),
        ("cancelled", "entered-in-error", Step.NEXT),
    ],
)
def test_without_clocks_the_table_decides(current: str, arrives: str, expected: Step) -> None:
    one, other = (replace(BLANK, status=ReportStatus(each)) for each in (current, arrives))
    assert step(one, other) is expected


def test_no_status_is_without_an_answer() -> None:
    for current in ReportStatus:
        for arrives in ReportStatus:
            found = step(replace(BLANK, status=current), replace(BLANK, status=arrives))
            assert found is not Step.REINSTATE


def test_a_day_without_a_time_does_not_precede_what_happened_on_it() -> None:
    noon, day = (replace(BLANK, issued_at=OBSERVED.replace(hour=hour, minute=0)) for hour in (12, 0))
    assert precedes(day, noon) is None
    assert precedes(day, replace(noon, issued_at=OBSERVED.replace(day=21))) is True


def test_final_after_the_withdrawal_counts_only_where_the_sources_clock_says_so(hub: Kernel) -> None:
    hub.send({"mr": "1", "status": "cancelled", "values": {HB: 130}, "issued": at(10)})
    (report_id,) = hub.send({"mr": "1", "values": {HB: 131}, "issued": at(5)}).report_ids
    hub.send({"mr": "1", "values": {HB: 132}})
    assert hub.query.report(hub.ask(), report_id).report.status is ReportStatus.CANCELLED
    hub.send({"mr": "1", "values": {HB: 133}, "issued": at(15)})
    assert hub.query.report(hub.ask(), report_id).report.status is ReportStatus.AMENDED
    assert shown(hub, report_id) == {HB: ("133", "final")}
    assert len(versions(hub, report_id)) == 4


def test_a_correction_that_arrives_before_what_it_corrects_stays_the_current_one(hub: Kernel) -> None:
    hub.send({"mr": "1", "status": "corrected", "values": {HB: 103}, "issued": at(20)})
    (report_id,) = hub.send({"mr": "1", "values": {HB: 130}, "issued": at(10)}).report_ids
    current = hub.query.report(hub.ask(), report_id)
    assert (current.version, shown(hub, report_id)[HB]) == (1, ("103", "final"))
    assert [each.current for each in versions(hub, report_id)] == [True, False]


def test_the_time_of_sending_decides_where_the_time_of_issue_does_not(hub: Kernel) -> None:
    same = {"mr": "1", "issued": at(0)}
    hub.send({**same, "status": "cancelled", "values": {HB: 98}, "sent_at": at(30)})
    hub.send({**same, "status": "corrected", "values": {HB: 128}, "sent_at": at(20)})
    (report_id,) = hub.send({**same, "values": {HB: 98}, "sent_at": at(10)}).report_ids
    assert hub.query.report(hub.ask(), report_id).report.status is ReportStatus.CANCELLED
    assert len(versions(hub, report_id)) == 3


def test_a_message_with_the_corrected_result_alone_leaves_the_others_where_they_are(hub: Kernel) -> None:
    hub.send({"mr": "1", "values": {HB: 130, PLT: 200, WBC: 5}, "findings": "标本轻度溶血"})
    correction = {"mr": "1", "status": "corrected", "values": {PLT: 210}, "statuses": {PLT: "corrected"}}
    (report_id,) = hub.send(correction).report_ids
    assert shown(hub, report_id) == {HB: ("130", "final"), PLT: ("210", "corrected"), WBC: ("5", "final")}
    current = hub.query.report(hub.ask(), report_id)
    assert [each.carried for each in current.report.observations] == [True, False, True]
    assert len(current.observation_ids) == 3
    assert "earlier-version-has-more" in current.report.flags
    hub.send({**correction, "message": "the same again"})
    assert len(versions(hub, report_id)) == 2


def test_a_result_under_another_sub_id_is_the_same_result(hub: Kernel) -> None:
    hub.send({"mr": "1", "values": {HB: 130}, "sub_id": "5"})
    (report_id,) = hub.send({"mr": "1", "status": "corrected", "values": {HB: 103}, "sub_id": "1"}).report_ids
    assert shown(hub, report_id) == {HB: ("103", "final")}
    assert len(hub.query.report(hub.ask(), report_id).report.observations) == 1


def test_a_partial_correction_that_arrives_first_is_filled_up(hub: Kernel) -> None:
    hub.send({"mr": "1", "status": "corrected", "values": {PLT: 210}, "issued": at(20)})
    (report_id,) = hub.send({"mr": "1", "values": {HB: 130, PLT: 200}, "issued": at(10)}).report_ids
    assert shown(hub, report_id) == {HB: ("130", "final"), PLT: ("210", "final")}
    assert hub.query.report(hub.ask(), report_id).report.status is ReportStatus.CORRECTED


def test_a_withdrawal_without_results_shows_what_it_withdraws(hub: Kernel) -> None:
    hub.send({"mr": "1", "values": {HB: 130}})
    (report_id,) = hub.send({"mr": "1", "status": "cancelled"}).report_ids
    assert shown(hub, report_id) == {HB: ("130", "cancelled")}


def test_a_single_result_that_is_taken_back_leaves_the_others_standing(hub: Kernel) -> None:
    hub.send({"mr": "1", "values": {HB: 130, PLT: 200}})
    taken_back = {"mr": "1", "status": "corrected", "values": {PLT: 200}, "statuses": {PLT: "entered-in-error"}}
    (report_id,) = hub.send(taken_back).report_ids
    assert shown(hub, report_id) == {HB: ("130", "final"), PLT: ("200", "entered-in-error")}


def test_a_result_called_preliminary_after_it_was_final_changes_nothing_and_is_in_the_history(hub: Kernel) -> None:
    hub.send({"mr": "1", "values": {HB: 130}})
    again = {"mr": "1", "values": {HB: 99, PLT: 200}, "statuses": {HB: "preliminary"}}
    (report_id,) = hub.send(again).report_ids
    assert shown(hub, report_id) == {HB: ("130", "final"), PLT: ("200", "final")}
    assert any(("99" in str(each.value)) for v in versions(hub, report_id) for each in v.report.observations)
    hub.send({**again, "message": "the same again"})
    assert len(versions(hub, report_id)) == 3


def test_a_correction_under_a_new_filler_number_finds_the_report_by_its_order(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "key": "F1", "placer": "PL1", "values": {HB: 130}}).report_ids
    correction = {"mr": "1", "key": "F2", "placer": "PL1", "status": "corrected", "values": {HB: 103}}
    assert hub.send(correction).report_ids == (report_id,)
    assert hub.send({**correction, "message": "the same again"}).report_ids == (report_id,)
    assert [each.report.status for each in versions(hub, report_id)] == [ReportStatus.FINAL, ReportStatus.CORRECTED]


def test_a_correction_of_one_of_several_results_of_an_order_changes_none_on_a_guess(hub: Kernel) -> None:
    for key in ("F1", "F2"):
        hub.send({"mr": "1", "key": key, "placer": "PL1", "values": {HB: 130}})
    correction = {"mr": "1", "key": "F3", "placer": "PL1", "status": "corrected", "values": {HB: 103}}
    (report_id,) = hub.send(correction).report_ids
    (made,) = versions(hub, report_id)
    assert made.report.flags == ("correction-unattached",)


def test_another_patients_order_number_is_another_order(hub: Kernel) -> None:
    (first,) = hub.send({"mr": "1", "key": "F1", "placer": "PL1", "values": {HB: 130}}).report_ids
    correction = {"mr": "2", "key": "F2", "placer": "PL1", "status": "corrected", "values": {HB: 103}}
    assert hub.send(correction).report_ids != (first,)


@pytest.mark.parametrize(("status", "topic"), [("corrected", "report.changed"), ("cancelled", "report.withdrawn")])
def test_a_changed_report_finds_every_decision_on_what_it_said_before(hub: Kernel, status: str, topic: str) -> None:
    (report_id,) = hub.send({"mr": "1", "values": {HB: 130}}).report_ids
    first = hub.recognition.decide(hub.ask(), report_id=report_id, version=1, verdict=Decided.RECOGNISED)
    hub.send({"mr": "1", "status": "corrected", "values": {HB: 120}})
    second = hub.recognition.decide(hub.ask(), report_id=report_id, version=2, verdict=Decided.RECOGNISED)
    hub.send({"mr": "1", "status": status, "values": {HB: 103}})
    with hub.database.read() as tx:
        entries = tx.execute(t.outbox.select().order_by(t.outbox.c.id)).all()
    told = [(each.topic, json.loads(each.payload)) for each in entries if each.topic.startswith("report.")]
    assert told[-1] == (topic, {"report": report_id, "version": 3, "decisions": [first.id, second.id]})


def test_a_late_word_tells_nobody_that_something_changed(hub: Kernel) -> None:
    hub.send({"mr": "1", "values": {HB: 130}, "issued": at(10)})
    hub.send({"mr": "1", "status": "corrected", "values": {HB: 120}, "issued": at(5)})
    with hub.database.read() as tx:
        assert [each.topic for each in tx.execute(t.outbox.select())] == ["report.new"]


@dataclass(frozen=True)
class Said:
    """A message of a source whose clock can be trusted: `minute` is its own."""

    status: str
    values: tuple[tuple[str, int], ...]
    minute: int = 0

    def document(self, number: int) -> dict[str, Any]:
        preliminary = {code: "preliminary" for code, _ in self.values} if self.status == "preliminary" else {}
        return {
            "mr": "1",
            "status": self.status,
            "values": dict(self.values),
            "statuses": preliminary,
            "issued": at(self.minute),
            "message": number,
        }

    @property
    def order(self) -> tuple[bool, int]:
        return self.status != "preliminary", self.minute


_values = st.dictionaries(st.sampled_from([HB, PLT, WBC]), st.integers(1, 3), min_size=1)
_said = st.builds(
    Said,
    st.sampled_from(["preliminary", "final", "corrected", "cancelled"]),
    _values.map(lambda values: tuple(sorted(values.items()))),
)


@st.composite
def _histories(draw: st.DrawFn) -> tuple[list[Said], list[Said]]:
    """What a source says, in its own order, and how it arrives: in any order, each once or more often."""
    said = [replace(each, minute=minute) for minute, each in enumerate(draw(st.lists(_said, min_size=1, max_size=5)))]
    arrivals = draw(st.permutations(said + draw(st.lists(st.sampled_from(said), max_size=3))))
    return said, arrivals


def _expected(said: list[Said]) -> dict[str, tuple[str, str]]:
    """What stands in the end, by the standard alone: read in the source's order, message after message."""
    stands: dict[str, tuple[str, str]] = {}
    for each in sorted(said, key=lambda each: each.order):
        closed = each.status != "preliminary"
        if closed:
            stands = {code: result for code, result in stands.items() if result[1] != "preliminary"}
        if each.status == "cancelled":
            stands = {code: (value, "cancelled") for code, (value, _) in stands.items()}
        status = "final" if closed else "preliminary"
        stands |= {code: (str(value), status) for code, value in each.values}
    return stands


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_histories())
def test_any_order_of_arrival_ends_in_what_the_source_said_last(
    hub: Kernel, history: tuple[list[Said], list[Said]]
) -> None:
    said, arrivals = history
    number = f"K{next(_KEYS)}"
    for n, each in enumerate(arrivals):
        receipt = hub.send({**each.document(n), "key": number})
        assert receipt.state is State.INDEXED
    (report_id,) = receipt.report_ids
    last = max(said, key=lambda each: each.order)
    current = hub.query.report(hub.ask(), report_id).report
    assert current.status.value in ({"final", "amended"} if last.status == "final" else {last.status})
    assert shown(hub, report_id) == _expected(said)
    kept = {(each.report.issued_at, _own_values(each.report)) for each in versions(hub, report_id)}
    for each in said:
        assert (dt.datetime.fromisoformat(at(each.minute)), frozenset(each.values)) in kept


def _own_values(report: Report) -> frozenset[tuple[str, int]]:
    """What the message behind a version said itself."""
    own = (each for each in report.observations if not each.carried)
    return frozenset((each.code.code, int(each.value.value)) for each in own if isinstance(each.value, Quantity))
