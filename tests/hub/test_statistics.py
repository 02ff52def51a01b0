"""The figures reconcile to the ledger: each is counted here once more, from what was done."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import audit
from hub.statistics import Statistics
from hub.statistics.counting import figures, row
from schemas.disclosure import Principal, Role
from schemas.faults import Forbidden, InvalidPayload
from schemas.figures import Figures, Pair
from schemas.ledger import Showing, Shown
from schemas.recognition import Decided, Order, reason_list
from schemas.wording import ZONE
from storage import ledger, tables
from tests.hub.kernel import CLINICIAN, Kernel, other

BUREAU = Principal("quality", "质控员", Role.QUALITY, "BUREAU")
OWN = replace(BUREAU, organization="DH02")
ELSEWHERE = other(CLINICIAN, "CHC02")
K = "2823-3"
TODAY = dt.datetime.now(ZONE).date()


def counted(hub: Kernel, who: Principal = BUREAU, institution: str = "") -> Figures:
    since = TODAY - dt.timedelta(days=3)
    return Statistics(hub.database).figures(hub.ask(who), since, TODAY + dt.timedelta(days=2), institution)


def report(hub: Kernel, number: str, source: str = "CHC01", **said: Any) -> int:  # noqa: ANN401 any part of a document
    receipt = hub.send({"mr": number, "key": f"F{number}", "values": {K: "3.4"}} | said, source=source)
    return receipt.report_ids[0]


def decide(hub: Kernel, report_id: int, reason: str = "", who: Principal = CLINICIAN) -> None:
    verdict = Decided.NOT_RECOGNISED if reason else Decided.RECOGNISED
    order = Order(diagnosis="I50.9")
    hub.recognition.decide(
        hub.ask(who), report_id=report_id, version=1, verdict=verdict, reason=reason, order=order, item="L-2823-3"
    )


def remind(hub: Kernel, report_id: int, advice: str, who: Principal = CLINICIAN) -> None:
    with hub.database.write() as tx:
        shown = Showing(report_id, 1, 0, "L-2823-3", advice, Shown.PORTAL, b"{}")
        ledger.add_showings(tx, hub.ask(who), [shown], audit.now())


def test_three_rates_of_what_was_there_retrieved_and_reminded(hub: Kernel) -> None:
    reused, refused, elsewhere, opened, there = (report(hub, f"{n}") for n in range(5))
    report(hub, "4", key="F4b")  # of a patient whom nobody saw again: another report of the same one
    for each in (reused, refused, elsewhere):
        remind(hub, each, "reusable")
    remind(hub, opened, "not-suggested")
    decide(hub, reused)
    decide(hub, refused, "01")
    decide(hub, elsewhere, "98")
    hub.query.report(hub.ask(), opened)
    found = counted(hub)
    # The patient of `there` was not seen: neither of the two reports counts.
    assert there
    assert (found.total.existing, found.total.retrieved) == (4, 4)
    assert (found.total.recognised, found.total.refused, found.total.uncounted) == (1, 2, 1)
    rates = (found.total.of_existing, found.total.of_retrieved, found.total.of_reminded)
    assert [(rate.part, rate.whole) for rate in rates] == [(1, 3), (1, 3), (1, 2)]
    assert found.openings == 1
    assert dict(found.reasons) == {"01": 1, "98": 1}


def test_a_change_of_mind_counts_once_and_by_the_last_word(hub: Kernel) -> None:
    report_id = report(hub, "1")
    for reason in ("", "01", "", "04"):
        decide(hub, report_id, reason)
    assert (counted(hub).total.recognised, counted(hub).total.refused) == (0, 1)
    assert counted(hub).reasons == (("04", 1),)


def test_what_an_institution_does_with_its_own_results_is_no_recognition(hub: Kernel) -> None:
    report_id = report(hub, "1", source="DH02")
    decide(hub, report_id)
    assert counted(hub).total == row("", ())


def test_each_institution_sees_its_own_and_the_bureau_all(hub: Kernel) -> None:
    ours, theirs = report(hub, "1"), report(hub, "2", source="DH02")
    decide(hub, ours)
    decide(hub, theirs, who=ELSEWHERE)
    decide(hub, ours, "01", who=ELSEWHERE)
    assert {each.name: (each.recognised, each.refused) for each in counted(hub).by_institution} == {
        "DH02": (1, 0),
        "CHC02": (1, 1),
    }
    mine = counted(hub, OWN)
    assert [each.name for each in mine.by_institution] == ["DH02"]
    assert (mine.total.recognised, mine.issued.recognised) == (1, 1)
    assert counted(hub, institution="DH02").total == mine.total
    with pytest.raises(Forbidden):
        counted(hub, OWN, "CHC02")
    with pytest.raises(Forbidden):
        counted(hub, CLINICIAN)


def test_savings_leave_out_what_was_examined_again_soon_after(hub: Kernel) -> None:
    first, second = report(hub, "1"), report(hub, "2")
    for each in (first, second):
        decide(hub, each)
    price = counted(hub).total.saved_fen // 2
    assert price > 0
    again = report(hub, "2", key="again")
    sampled = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    with hub.database.write() as tx:
        tx.execute(tables.report.update().where(tables.report.c.id == again).values(observed_at=sampled))
    found = counted(hub)
    assert (found.total.saved_fen, found.total.repeated) == (price, 1)


def test_a_period_has_days_and_not_too_many(hub: Kernel) -> None:
    for days in (0, -1, 900):
        with pytest.raises(InvalidPayload):
            Statistics(hub.database).figures(hub.ask(BUREAU), TODAY, TODAY + dt.timedelta(days=days))


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    verdict = draw(st.sampled_from([None, *Decided]))
    reason = draw(st.sampled_from(["01", "04", "98", "99"])) if verdict is Decided.NOT_RECOGNISED else ""
    known = reason_list().find(reason)
    return Pair(
        report_id=draw(st.integers(1, 10**6)),
        organization=draw(st.sampled_from("ABC")),
        issuer=draw(st.sampled_from("DEF")),
        month=draw(st.sampled_from(["2026-10", "2026-11"])),
        item=draw(st.sampled_from(["", "P-CBC", "R-CT-CHEST"])),
        retrieved=verdict is not None or draw(st.booleans()),
        reminded=draw(st.booleans()),
        verdict=verdict,
        reason=reason,
        counted=known.counted if known else True,
        price_fen=draw(st.integers(0, 10_000)),
        repeated=draw(st.booleans()),
    )


@given(st.lists(pairs(), max_size=40))
def test_every_table_adds_up_to_the_whole_and_no_rate_is_above_one(known: list[Pair]) -> None:
    found = figures(known, since=dt.date(2026, 10, 1), until=dt.date(2026, 12, 1))
    for table in (found.by_institution, found.by_issuer, found.by_month):
        for name in ("existing", "retrieved", "recognised", "refused", "reminded", "adopted", "saved_fen"):
            assert sum(getattr(each, name) for each in table) == getattr(found.total, name)
    assert sum(number for _, number in found.reasons) == found.total.refused
    for rate in (found.total.of_existing, found.total.of_retrieved, found.total.of_reminded):
        assert 0 <= rate.part <= rate.whole
    assert found == figures(reversed(known), since=found.since, until=found.until)
