"""Results on their way to who ordered them: in order, the same bytes on every attempt, and nothing lost in silence."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hl7
import pytest
from sqlalchemy import select

from adapters.hl7v2.sender import MllpSender, Patience
from adapters.tls import client_context, server_context
from hub.notify import Notify, Outbound, Pace
from schemas.disclosure import Disclosure
from schemas.dispatch import Destination, DispatchRecord, DispatchState
from schemas.faults import Conflict, Forbidden, InvalidPayload, NotFound
from schemas.report import ReportCategory
from storage import outbox, tables
from tests.adapters.authority import Authority
from tests.hub.kernel import ADMIN, AUDITOR, CLINICIAN, Kernel
from tests.receiving import Receiver, acknowledgement, control_id, eventually, free_port, receiving

QUICK = Pace(tick_s=0.02, first_wait_s=0.02, longest_wait_s=0.05, most_rejections=4)
REPORT = {"mr": "P1", "key": "F1|CBC", "values": {"718-7": "98"}, "requesters": ["DH02"]}
BUSY = "207^Application internal error^HL70357"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def ask(hub: Kernel) -> Disclosure:
    return hub.ask(ADMIN)


@pytest.fixture
def notify(hub: Kernel) -> Notify:
    return Notify(hub.database)


def destination(port: int, **said: object) -> Destination:
    return Destination("DH02", "HIS", "127.0.0.1", port, **said)  # type: ignore[arg-type]


@contextmanager
def sending(
    hub: Kernel, pace: Pace = QUICK, patience: Patience | None = None, ca: Path | None = None
) -> Iterator[None]:
    sender = MllpSender(client_context(ca), patience or Patience(2, 2))
    outbound = Outbound(hub.database, hub.objects, sender, pace)
    outbound.start()
    try:
        yield
    finally:
        outbound.stop()


def settled(notify: Notify, ask: Disclosure, **counts: int) -> tuple[DispatchRecord, ...]:
    """Every dispatch, oldest first, once so many are in each of these states."""

    def there() -> bool:
        return all(
            notify.dispatches(ask, state=DispatchState(state.replace("_", "-"))).total == number
            for state, number in counts.items()
        )

    eventually(there)
    return tuple(reversed(notify.dispatches(ask).items))


def status(message: bytes) -> str:
    """OBR-25."""
    return str(hl7.parse(message.decode())["OBR"][0][25])


def numbered(number: int, **said: object) -> dict[str, object]:
    return {**REPORT, "key": f"F{number}|CBC", **said}


def idle(hub: Kernel) -> None:
    """Once nothing is left in the outbox."""

    def empty() -> bool:
        with hub.database.read() as tx:
            return outbox.waiting(tx) == 0

    eventually(empty)


def test_final_corrected_and_withdrawn_go_to_who_ordered_in_that_order(
    hub: Kernel, receiver: Receiver, notify: Notify, ask: Disclosure
) -> None:
    notify.put_destination(ask, destination(receiver.port, receiving_application="HIS", receiving_facility="DH02"))
    hub.send(REPORT | {"status": "preliminary"})
    hub.send(REPORT)
    hub.send(REPORT | {"status": "corrected", "values": {"718-7": "99"}})
    hub.send(REPORT | {"status": "cancelled"})
    with sending(hub):
        records = settled(notify, ask, delivered=3)
    assert [status(message) for message in receiver.received] == ["F", "C", "X"]
    assert [(each.version, each.code, each.attempts) for each in records] == [(2, "AA", 1), (3, "AA", 1), (4, "AA", 1)]
    assert [control_id(message) for message in receiver.received] == [each.control_id for each in records]
    first = hl7.parse(receiver.received[0].decode())
    assert [str(first["MSH"][0][n]) for n in (5, 6)] == ["HIS", "DH02"]
    trail = [each for each in hub.query.audit(hub.ask(AUDITOR)).items if each.action == "export"]
    assert [(each.entity, each.organization, each.purpose) for each in trail][-1] == (
        f"DiagnosticReport/{records[0].report_id}/_history/2",
        "DH02",
        "TREAT",
    )
    assert all(each.patient_id for each in trail)
    assert notify.destinations(ask)[0].last_delivered_at is not None
    with hub.database.read() as tx:
        assert set(tx.scalars(select(tables.dispatch.c.message))) == {b""}  # what is delivered is kept no longer


def test_what_was_not_ordered_there_or_is_not_wanted_there_stays_here(
    hub: Kernel, receiver: Receiver, notify: Notify, ask: Disclosure
) -> None:
    port = receiver.port
    notify.put_destination(ask, destination(port, categories=(ReportCategory.LABORATORY,)))
    notify.put_destination(ask, destination(port, active=False))
    hub.send(REPORT | {"requesters": ["CHC02"]})  # of another institution, which has no destination
    hub.send(numbered(2, requesters=[]))
    hub.send(numbered(3, requesters=["CHC01"]))  # their own result, which they have
    hub.send(numbered(4, category="ecg"))
    hub.send(numbered(5, status="preliminary"))
    with sending(hub):
        idle(hub)
        hub.send(numbered(6, values={"718-7": "123"}))
        receiver.wait(1)
        settled(notify, ask, delivered=1)
    assert len(receiver.received) == 1
    assert b"|123|g/L|" in receiver.received[0]


def test_a_receiver_that_was_down_gets_everything_in_order_when_it_comes_back(
    hub: Kernel, notify: Notify, ask: Disclosure
) -> None:
    port = free_port()
    notify.put_destination(ask, destination(port))
    with sending(hub):
        for number in range(5):
            hub.send(numbered(number))
        eventually(lambda: notify.dispatches(ask, state=DispatchState.WAITING).total == 5)
        eventually(lambda: notify.dispatches(ask, state=DispatchState.WAITING).items[0].attempts >= 3)
        waiting = notify.dispatches(ask, state=DispatchState.WAITING).items
        assert "cannot be reached" in waiting[0].text
        assert [each.attempts for each in waiting[1:]] == [0, 0, 0, 0]  # nobody overtakes
        with receiving(port) as receiver:
            records = settled(notify, ask, delivered=5)
            assert [control_id(message) for message in receiver.received] == [each.control_id for each in records]


def test_a_refusal_for_what_it_says_is_a_dead_letter_and_the_next_goes_on(
    hub: Kernel, receiver: Receiver, notify: Notify, ask: Disclosure
) -> None:
    receiver.answer = lambda message: acknowledgement(
        message, "AE" if b"|98|" in message else "AA", "102^Data type error"
    )
    notify.put_destination(ask, destination(receiver.port))
    hub.send(REPORT)
    hub.send(numbered(2, values={"718-7": "120"}))
    with sending(hub):
        dead, delivered = settled(notify, ask, dead=1, delivered=1)
        assert (dead.code, dead.text, dead.attempts) == ("AE", "Data type error", 1)
        assert notify.destinations(ask)[0].dead == 1
        receiver.answer = lambda message: acknowledgement(message, "AA")
        notify.retry(ask, dead.id)
        settled(notify, ask, delivered=2)
    assert receiver.received[0] == receiver.received[2]
    with pytest.raises(Conflict):
        notify.retry(ask, delivered.id)


def test_a_rejection_that_may_pass_is_tried_again_with_the_same_bytes(
    hub: Kernel, receiver: Receiver, notify: Notify, ask: Disclosure
) -> None:
    answers = iter(["AR", "CR", "AA"])
    receiver.answer = lambda message: acknowledgement(message, next(answers), BUSY)
    notify.put_destination(ask, destination(receiver.port))
    hub.send(REPORT)
    with sending(hub):
        (record,) = settled(notify, ask, delivered=1)
    assert record.attempts == 3
    assert len(set(receiver.received)) == 1


def test_a_rejection_that_never_passes_is_a_dead_letter_in_the_end(
    hub: Kernel, receiver: Receiver, notify: Notify, ask: Disclosure
) -> None:
    refusals = {"98": "200^Unsupported message type", "99": BUSY}
    receiver.answer = lambda message: acknowledgement(
        message, "AR", next(error for value, error in refusals.items() if f"|{value}|".encode() in message)
    )
    notify.put_destination(ask, destination(receiver.port))
    hub.send(REPORT)
    hub.send(numbered(2, values={"718-7": "99"}))
    with sending(hub):
        unsupported, busy = settled(notify, ask, dead=2)
    assert unsupported.attempts == 1
    assert busy.attempts == QUICK.most_rejections


def test_a_late_answer_is_waited_for_no_longer_and_never_taken_for_another(
    hub: Kernel, receiver: Receiver, notify: Notify, ask: Disclosure
) -> None:
    hung = threading.Event()
    attempts: list[bytes] = []

    def answer(message: bytes) -> bytes | None:
        attempts.append(message)
        if len(attempts) == 1:
            assert hung.wait(20)
            return acknowledgement(message, "AE")  # of the attempt that was given up: nobody hears it
        if b"|120|" in message:
            return acknowledgement(attempts[0], "AE") + acknowledgement(message, "AA")
        return acknowledgement(message, "AA")

    receiver.answer = answer
    notify.put_destination(ask, destination(receiver.port))
    hub.send(REPORT)
    hub.send(numbered(2, values={"718-7": "120"}))
    with sending(hub, patience=Patience(2, 0.2)):
        receiver.wait(2)
        hung.set()
        records = settled(notify, ask, delivered=2)
    assert [each.attempts for each in records] == [2, 1]
    assert receiver.received[0] == receiver.received[1]


def test_a_receiver_that_dies_within_its_answer_gets_the_same_bytes_again(
    hub: Kernel, receiver: Receiver, notify: Notify, ask: Disclosure
) -> None:
    halves = iter([True, False])

    def answer(message: bytes) -> bytes | None:
        whole = acknowledgement(message, "AA")
        receiver.hang_up_after_each = next(halves)
        return whole[:40] if receiver.hang_up_after_each else whole

    receiver.answer = answer
    notify.put_destination(ask, destination(receiver.port))
    hub.send(REPORT)
    with sending(hub):
        (record,) = settled(notify, ask, delivered=1)
    assert record.attempts == 2
    assert receiver.received[0] == receiver.received[1]


def test_a_receiver_that_hangs_up_after_each_answer_loses_no_time(
    hub: Kernel, receiver: Receiver, notify: Notify, ask: Disclosure
) -> None:
    receiver.hang_up_after_each = True
    notify.put_destination(ask, destination(receiver.port))
    for number in range(3):
        hub.send(numbered(number))
    patient = Pace(tick_s=0.02, first_wait_s=60, longest_wait_s=60)
    with sending(hub, patient):
        records = settled(notify, ask, delivered=3)
    assert [each.attempts for each in records] == [1, 1, 1]


def test_a_slow_destination_holds_up_nobody_else(
    hub: Kernel, receiver: Receiver, notify: Notify, ask: Disclosure
) -> None:
    may_go_on = threading.Event()
    with receiving() as slow:

        def dawdle(message: bytes) -> bytes:
            assert may_go_on.wait(20)
            return acknowledgement(message, "AA")

        slow.answer = dawdle
        notify.put_destination(ask, destination(slow.port))
        notify.put_destination(ask, destination(receiver.port))
        with sending(hub, patience=Patience(2, 20)):
            for number in range(3):
                hub.send(numbered(number))
            receiver.wait(3)
            assert len(slow.wait(1)) == 1
            may_go_on.set()
            settled(notify, ask, delivered=6)


def test_two_processes_that_send_keep_the_order_and_send_nothing_twice(
    hub: Kernel, receiver: Receiver, notify: Notify, ask: Disclosure
) -> None:
    notify.put_destination(ask, destination(receiver.port))
    for number in range(20):
        hub.send(numbered(number))
    with sending(hub), sending(hub):
        records = settled(notify, ask, delivered=20)
    assert [control_id(message) for message in receiver.received] == [each.control_id for each in records]


def test_an_older_version_is_never_sent_after_a_newer_one(
    hub: Kernel, receiver: Receiver, notify: Notify, ask: Disclosure
) -> None:
    receiver.answer = lambda message: acknowledgement(message, "AE" if status(message) == "F" else "AA")
    notify.put_destination(ask, destination(receiver.port))
    hub.send(REPORT)
    hub.send(REPORT | {"status": "corrected", "values": {"718-7": "99"}})
    with sending(hub):
        dead, _ = settled(notify, ask, dead=1, delivered=1)
    with pytest.raises(Conflict, match="later version"):
        notify.retry(ask, dead.id)
    with pytest.raises(InvalidPayload):
        notify.give_up(ask, dead.id, "  ")
    notify.give_up(ask, dead.id, "they have the corrected one")
    (given_up,) = notify.dispatches(ask, state=DispatchState.GIVEN_UP).items
    assert (given_up.decided_by, given_up.reason) == ("admin", "they have the corrected one")
    with pytest.raises(Conflict):
        notify.give_up(ask, dead.id, "again")


def test_results_travel_encrypted_to_who_can_prove_to_be_the_destination(
    hub: Kernel, notify: Notify, ask: Disclosure, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    right, wrong = authority.issue("his", hosts=("127.0.0.1",)), authority.issue("other", hosts=("10.0.0.1",))
    with receiving(context=server_context(wrong.certificate, wrong.key)) as impostor:
        port = impostor.port
        notify.put_destination(ask, destination(port, tls=True))
        hub.send(REPORT)
        with sending(hub, ca=authority.certificate):
            eventually(lambda: any(each.attempts >= 2 for each in notify.dispatches(ask).items))
        assert impostor.received == []
        assert "no encrypted connection" in notify.dispatches(ask).items[0].text
    with receiving(port, server_context(right.certificate, right.key)) as receiver:
        with sending(hub, ca=authority.certificate):
            settled(notify, ask, delivered=1)
        assert len(receiver.received) == 1


def test_only_administrators_manage_destinations_and_results_leave_this_machine_encrypted(
    hub: Kernel, notify: Notify, ask: Disclosure
) -> None:
    with pytest.raises(Forbidden):
        notify.put_destination(hub.ask(CLINICIAN), destination(1))
    with pytest.raises(Forbidden):
        notify.dispatches(hub.ask(CLINICIAN))
    with pytest.raises(Forbidden, match="TLS"):
        notify.put_destination(ask, Destination("DH02", "HIS", "10.1.2.3", 2575))
    Notify(hub.database, allow_insecure=True).put_destination(ask, Destination("DH02", "HIS", "10.1.2.3", 2575))
    for wrong in (
        {"host": "a b"},
        {"port": 70000},
        {"charset": "EBCDIC"},
        {"name": " "},
    ):
        said = {"organization": "DH02", "name": "HIS", "host": "localhost", "port": 2575} | wrong
        with pytest.raises(InvalidPayload):
            notify.put_destination(ask, Destination(**said))  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        notify.put_destination(ask, Destination("NOBODY", "HIS", "localhost", 2575))
    with pytest.raises(NotFound):
        notify.put_destination(ask, destination(2575), 77)


def test_what_cannot_be_written_is_a_dead_letter_at_once_and_holds_up_nothing(
    hub: Kernel, receiver: Receiver, notify: Notify, ask: Disclosure, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = MllpSender.render

    def broken(self: MllpSender, outgoing: object, to: Destination) -> bytes:
        if outgoing.report.key.startswith("F1"):  # type: ignore[attr-defined]
            raise RuntimeError("a bug of the writer")
        return render(self, outgoing, to)  # type: ignore[arg-type]

    monkeypatch.setattr(MllpSender, "render", broken)
    notify.put_destination(ask, destination(receiver.port))
    hub.send(REPORT)
    hub.send(numbered(2))
    with sending(hub):
        dead, _ = settled(notify, ask, dead=1, delivered=1)
    assert dead.text == "the report could not be written as a message"
