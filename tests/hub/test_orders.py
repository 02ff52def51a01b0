"""Orders and results find one another, in whichever sequence they come; nobody is linked on a contradiction."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.orders import follow, follow_status
from schemas.codes import Coding
from schemas.order import OrderControl, OrderRecord, OrderStatus, ServiceOrder
from schemas.patient import Patient, PersonName
from storage import outbox
from storage.orders import known_requester
from tests.engines import Engines
from tests.hub.kernel import ADMIN
from tests.hub.mllp import MAN, WOMAN, Laboratory, head, opened, pid


@pytest.fixture
def laboratory(migrated_urls: Engines) -> Iterator[Laboratory]:
    with opened(migrated_urls) as made:
        yield made


def order(
    patient: str, *, control: str = "NW", placer: str = "REQ77", status: str = "", kind: str = "OML^O21"
) -> tuple[str, ...]:
    return (
        head(kind, "CHC01", "DH02"),
        patient,
        f"ORC|{control}|{placer}^CHC01|||{status}||||20261122080000|||D1^周医生",
        f"OBR|1|{placer}^CHC01||58410-2^血常规^LN",
    )


def result(patient: str, *, placer: str = "REQ77", filler: str = "LIS900", status: str = "F") -> tuple[str, ...]:
    return (
        head("ORU^R01", "DH02", "REGION"),
        patient,
        f"OBR|1|{placer}|{filler}|58410-2^血常规^LN|||20261122083000|||||||||||||||20261122085000||HM|{status}",
        "OBX|1|NM|6690-2^白细胞^LN||5.2|10*9/L|3.5-9.5|N|||F",
    )


def behind(laboratory: Laboratory, index: int = 0) -> OrderRecord | None:
    kernel = laboratory.kernel
    return kernel.query.related(kernel.ask(), laboratory.reports()[index]).order


def told(laboratory: Laboratory) -> list[str]:
    with laboratory.kernel.database.read() as tx:
        return [entry.topic for entry in outbox.pending(tx, 50)]


def requester(laboratory: Laboratory) -> str:
    with laboratory.kernel.database.read() as tx:
        return known_requester(tx, laboratory.reports()[0].id)


@pytest.mark.parametrize("kind", ["ORM^O01", "OML^O21", "OMG^O19", "OMI^O23"])
@pytest.mark.parametrize("order_first", [True, False])
def test_a_result_under_a_local_number_reaches_the_person_whom_its_order_names(
    laboratory: Laboratory, kind: str, order_first: bool
) -> None:
    messages = [order(pid("A1", resident=MAN), kind=kind), result(pid("L77"))]
    for each in messages if order_first else reversed(messages):
        assert laboratory.send(*each)[1] == "AA"
    assert laboratory.partition() == {frozenset({"A1", "L77"})}
    assert MAN in {i.value for i in laboratory.people()[0].patient.identifiers}
    found = behind(laboratory)
    assert found is not None
    assert (found.requested_by, found.order.requester) == ("CHC01", "周医生")
    assert [service.display for service in found.order.services] == ["血常规"]
    assert requester(laboratory) == "CHC01"
    # An order that comes late has its placer told of the result that is here already.
    assert ("report.ordered" in told(laboratory)) is not order_first


@pytest.mark.parametrize("order_first", [True, False])
@pytest.mark.parametrize(
    "other", [pid("L77", name="张伟"), pid("L77", born="19810101"), pid("L77", resident=WOMAN, sex="F")]
)
def test_a_result_that_contradicts_its_orders_patient_is_never_linked_but_asked_about(
    laboratory: Laboratory, other: str, order_first: bool
) -> None:
    messages = [order(pid("A1", resident=MAN)), result(other)]
    for each in messages if order_first else reversed(messages):
        assert laboratory.send(*each)[1] == "AA"
    assert laboratory.partition() == {frozenset({"A1"}), frozenset({"L77"})}
    doubts = laboratory.kernel.query.doubts(laboratory.kernel.ask(ADMIN))
    assert [doubt.reason for doubt in doubts] == ["order-names-another"]
    assert all(person.doubtful for person in laboratory.people())
    assert behind(laboratory) is None
    assert requester(laboratory) == ""  # nobody is sent a result of somebody else than they asked about
    assert "report.ordered" not in told(laboratory)
    # A person finds out that they are one: then the result answers the order after all.
    laboratory.kernel.identity.decide(laboratory.kernel.ask(ADMIN), doubts[0].id, link=True)
    assert laboratory.partition() == {frozenset({"A1", "L77"})}
    assert behind(laboratory) is not None
    assert requester(laboratory) == "CHC01"
    assert told(laboratory).count("report.ordered") == 1


@pytest.mark.parametrize("said", [pid("L77", born=""), pid("L77", name="")])
def test_too_little_to_compare_ties_the_order_but_lends_no_number(laboratory: Laboratory, said: str) -> None:
    laboratory.send(*order(pid("A1", resident=MAN)))
    laboratory.send(*result(said))
    assert laboratory.partition() == {frozenset({"A1"}), frozenset({"L77"})}
    assert laboratory.kernel.query.doubts(laboratory.kernel.ask(ADMIN)) == ()
    assert behind(laboratory) is not None


def test_a_number_that_contradicts_its_own_bearer_is_not_lent(laboratory: Laboratory) -> None:
    laboratory.send(*order(pid("A1", resident=MAN, sex="F")))
    laboratory.send(*result(pid("L77", sex="F")))
    assert laboratory.partition() == {frozenset({"A1"}), frozenset({"L77"})}


def test_a_sample_number_of_the_day_finds_nobodys_order(laboratory: Laboratory) -> None:
    laboratory.send(*order(pid("A1", resident=MAN), placer="17"))
    laboratory.send(*result(pid("L77", name="张伟"), placer="17"))
    assert laboratory.kernel.query.doubts(laboratory.kernel.ask(ADMIN)) == ()
    assert behind(laboratory) is None


def test_a_result_finds_its_order_by_the_fillers_number(laboratory: Laboratory) -> None:
    laboratory.send(*order(pid("A1", resident=MAN)))
    # The laboratory accepts the order, and says under which number it will answer.
    accepted = (head("ORM^O01", "DH02"), pid("A1", resident=MAN, by="CHC01"), "ORC|OK|REQ77^CHC01|LIS900||IP")
    assert laboratory.send(*accepted)[1] == "AA"
    laboratory.send(*result(pid("L77"), placer=""))
    assert laboratory.partition() == {frozenset({"A1", "L77"})}


def test_a_cancelled_order_is_shown_as_cancelled_and_stays_so(laboratory: Laboratory) -> None:
    for control in ("NW", "CA", "NW", "XO"):
        assert laboratory.send(*order(pid("A1", resident=MAN), control=control))[1] == "AA"
    laboratory.send(*result(pid("L77")))
    found = behind(laboratory)
    assert found is not None
    assert found.order.status is OrderStatus.REVOKED
    # The laboratory was unable to cancel: the order stands again.
    laboratory.send(*order(pid("A1", resident=MAN), control="UC"))
    again = behind(laboratory)
    assert again is not None
    assert again.order.status is OrderStatus.ACTIVE


def test_nobody_else_takes_an_order_back_who_only_knows_its_number(laboratory: Laboratory) -> None:
    laboratory.send(*order(pid("A1", resident=MAN)))
    laboratory.send(*result(pid("L77")))
    taking_back = order(pid("A1", resident=MAN), control="CA")
    stranger = (taking_back[0].replace("|CHC01|", "|CHC02|", 1), *taking_back[1:])
    assert "CHC02" in stranger[0]
    assert laboratory.send(*stranger)[1] == "AR"
    found = behind(laboratory)
    assert found is not None
    assert found.order.status is not OrderStatus.REVOKED
    # The laboratory, which gave it a number of its own, may say that it cannot be done.
    filling = (*order(pid("A1", resident=MAN), control="SC"),)
    accepted = (filling[0], filling[1], filling[2].replace("^CHC01||", "^CHC01|LIS900|", 1), filling[3])
    assert laboratory.send(*accepted)[1] == "AA"
    cannot = (*order(pid("A1", resident=MAN), control="OC"),)
    head_of_laboratory = head("OML^O21", "DH02", "CHC01")
    refused = (head_of_laboratory, cannot[1], cannot[2].replace("^CHC01||", "^CHC01|LIS900|", 1), cannot[3])
    assert laboratory.send(*refused)[1] == "AA"
    found = behind(laboratory)
    assert found is not None
    assert found.order.status is OrderStatus.REVOKED


def test_a_change_replaces_what_was_asked_for(laboratory: Laboratory) -> None:
    laboratory.send(*order(pid("A1", resident=MAN)))
    changed = list(order(pid("A1", resident=MAN), control="XO"))
    changed[3] = changed[3].replace("58410-2^血常规^LN", "24331-1^血脂^LN")
    laboratory.send(*changed)
    laboratory.send(*result(pid("L77")))
    found = behind(laboratory)
    assert found is not None
    assert [service.code for service in found.order.services] == ["24331-1"]


def test_the_same_order_number_for_another_patient_is_held(laboratory: Laboratory) -> None:
    laboratory.send(*order(pid("A1", resident=MAN)))
    said = laboratory.send(*order(pid("A2", name="张伟", born="19700101")))
    assert said[1] == "AE"
    assert "another patient" in said[3]


def test_an_order_without_a_number_or_a_patient_is_refused_with_the_place(laboratory: Laboratory) -> None:
    assert laboratory.send(head("ORM^O01"), pid("A1"), "ORC|NW", "OBR|1|||58410-2^CBC^LN")[1] == "AE"
    assert laboratory.send(head("ORM^O01"), "ORC|NW|R1", "OBR|1|R1||58410-2^CBC^LN")[1] == "AE"


def test_without_an_order_the_result_itself_may_say_who_asked(laboratory: Laboratory) -> None:
    laboratory.send(*(each.replace("|REGION|", "|CHC02|") for each in result(pid("L77"))))
    assert requester(laboratory) == "CHC02"


def test_a_name_that_is_no_institution_here_has_ordered_nothing(laboratory: Laboratory) -> None:
    laboratory.send(*result(pid("L77"), placer="R5^SOMEWHERE"))
    assert requester(laboratory) == ""


@pytest.mark.parametrize("order_first", [True, False])
@pytest.mark.parametrize("numbers", ["REQ77", "Q1|LIS900"])
@pytest.mark.parametrize("said", [pid("X1", name="", born="", sex=""), pid("L77", name="", born="", by="DH02")])
def test_who_guesses_a_number_and_describes_nobody_is_not_shown_the_result(
    laboratory: Laboratory, order_first: bool, numbers: str, said: str
) -> None:
    guessed = (head("ORM^O01", "CHC02"), said, f"ORC|NW|{numbers}", f"OBR|1|{numbers}|")
    messages = [guessed, result(pid("L77"))]
    for each in messages if order_first else reversed(messages):
        laboratory.send(*each)
    assert requester(laboratory) == ""
    assert behind(laboratory) is None


def test_whom_the_result_names_is_the_one_who_ordered_it(laboratory: Laboratory) -> None:
    laboratory.send(*(each.replace("REQ77", "REQ77^CHC01") for each in result(pid("L77"))))
    laboratory.send(head("ORM^O01", "CHC02"), pid("A1"), "ORC|NW|REQ77", "OBR|1|REQ77")
    assert requester(laboratory) == "CHC01"


controls = st.sampled_from(OrderControl)
statuses = st.sampled_from(OrderStatus)


def said_of(control: OrderControl, status: OrderStatus, service: str = "A") -> ServiceOrder:
    return ServiceOrder(
        Patient((), PersonName("")), "CHC01", control, status, "R1", services=(Coding(service),) if service else ()
    )


@given(st.lists(st.tuples(controls, statuses)))
def test_what_was_taken_back_comes_back_only_by_being_resumed(messages: list[tuple[OrderControl, OrderStatus]]) -> None:
    now = OrderStatus.ACTIVE
    for control, status in messages:
        following = follow_status(now, said_of(control, status))
        if now in (OrderStatus.REVOKED, OrderStatus.ENTERED_IN_ERROR, OrderStatus.COMPLETED) and following is not now:
            assert (now, control) == (OrderStatus.REVOKED, OrderControl.RESUME)
        now = following


@given(controls, statuses, statuses)
def test_others_than_its_placer_never_change_what_is_asked_for(
    control: OrderControl, before: OrderStatus, said: OrderStatus
) -> None:
    known = said_of(OrderControl.NEW, before, "A")
    assert follow(known, said_of(control, said, "B"), own=False).services == known.services
