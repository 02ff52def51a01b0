"""Archive first, promise last, nothing lost in silence."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.ingest.reconcile import reconcile
from hub.ingest.verify import verify
from schemas.delivery import Channel, Claim, DeliveryCriteria, Receipt, State
from schemas.faults import Category, Forbidden
from schemas.recognition import Decided
from schemas.report import ReportCriteria
from tests.hub.kernel import ADMIN, TECHNICIAN, Kernel, other


def test_what_was_acknowledged_is_kept_and_findable(hub: Kernel) -> None:
    receipt = hub.send({"mr": "1", "values": {"718-7": 130}})
    assert receipt.state is State.INDEXED
    assert receipt.fault is None
    assert hub.objects.exists(receipt.digest)
    found = hub.query.reports(hub.ask(), ReportCriteria())
    assert [record.id for record in found.items] == list(receipt.report_ids)


def test_second_delivery_of_the_same_bytes_earns_the_same_receipt(hub: Kernel) -> None:
    first = hub.send({"mr": "1"})
    assert hub.send({"mr": "1"}) == first
    assert hub.query.reports(hub.ask(), ReportCriteria()).total == 1


def test_unreadable_payload_is_kept_even_though_it_is_refused(hub: Kernel) -> None:
    receipt = hub.send(b"\xff not JSON")
    assert receipt.state is State.QUARANTINED
    assert (receipt.category, receipt.where) == (Category.INVALID, "byte 0")
    assert hub.objects.read(receipt.digest) == b"\xff not JSON"
    waiting = hub.query.deliveries(hub.ask(ADMIN), DeliveryCriteria(State.QUARANTINED))
    assert [record.id for record in waiting.items] == [receipt.delivery_id]


def test_a_bug_of_a_reader_costs_neither_the_bytes_nor_the_hub(hub: Kernel) -> None:
    receipt = hub.send(b"bug")
    assert (receipt.state, receipt.category) == (State.QUARANTINED, Category.INTERNAL)
    assert hub.objects.read(receipt.digest) == b"bug"
    assert hub.send({"mr": "1"}).state is State.INDEXED


def test_unknown_sender_is_refused(hub: Kernel) -> None:
    with pytest.raises(Forbidden):
        hub.senders.identify(Claim(Channel.MLLP, "STRANGER", "127.0.0.1"))


def test_many_senders_at_once_each_get_their_own_receipt(hub: Kernel) -> None:
    receipts: dict[int, Receipt] = {}

    def send(number: int) -> None:
        receipts[number] = hub.send({"mr": str(number), "key": f"F{number}"})

    threads = [threading.Thread(target=send, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {receipt.state for receipt in receipts.values()} == {State.INDEXED}
    assert len({receipt.delivery_id for receipt in receipts.values()}) == 24
    assert len({receipt.report_ids for receipt in receipts.values()}) == 24
    assert list(verify(hub.database, hub.objects)) == []


def test_refused_delivery_does_not_sink_those_that_wait_with_it(hub: Kernel) -> None:
    hub.send({"mr": "1", "born": "1970-01-01"})
    outcomes: list[Receipt] = []

    def send(said: dict[str, str]) -> None:
        outcomes.append(hub.send(said))

    work = [{"mr": "1", "born": "1980-02-02", "key": "X"}] + [{"mr": f"p{n}", "key": f"K{n}"} for n in range(8)]
    threads = [threading.Thread(target=send, args=(said,)) for said in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receipt.state for receipt in outcomes) == [State.HELD] + [State.INDEXED] * 8


@pytest.mark.parametrize("name", ["王\0芳", "王\ud800芳"])
def test_value_that_a_database_cannot_hold_sinks_neither_its_neighbours_nor_its_bytes(hub: Kernel, name: str) -> None:
    hostile = json.dumps({"mr": "1", "name": name}).encode()
    work = [hostile] + [json.dumps({"mr": f"p{n}", "key": f"K{n}"}).encode() for n in range(8)]
    with ThreadPoolExecutor(len(work)) as pool:
        first, *others = pool.map(hub.send, work)
    assert {receipt.state for receipt in others} == {State.INDEXED}
    # SQLite can hold a NUL; what cannot be held is kept, refused and shown.
    assert (first.state, first.category) in {(State.INDEXED, ""), (State.QUARANTINED, Category.INVALID)}
    assert hub.objects.read(first.digest) == hostile
    assert list(verify(hub.database, hub.objects)) == []


def test_held_delivery_can_be_replayed_once_the_source_has_corrected_itself(hub: Kernel) -> None:
    hub.send({"mr": "1", "born": "1970-01-01"})
    held = hub.send({"mr": "1", "born": "1980-02-02", "key": "F2"})
    assert held.state is State.HELD
    hub.send({"mr": "1", "born": "1980-02-02", "adt": True})
    again = hub.ingest.replay(hub.ask(ADMIN), held.delivery_id)
    assert again.state is State.INDEXED
    assert again.delivery_id == held.delivery_id
    assert hub.query.reports(hub.ask(), ReportCriteria()).total == 2


def test_stray_objects_of_a_killed_process_are_removed_and_kept_ones_stay(hub: Kernel) -> None:
    kept = hub.send({"mr": "1"})
    with hub.objects.spool() as spool:
        spool.write(b"archived, never committed")
        spool.keep()
        stray = spool.digest
    assert reconcile(hub.database, hub.objects) == 1
    assert not hub.objects.exists(stray)
    assert hub.objects.exists(kept.digest)


def test_verify_finds_a_missing_object_and_an_altered_audit_record(hub: Kernel) -> None:
    receipt = hub.send({"mr": "1"})
    hub.send({"mr": "2", "key": "F2"})
    assert list(verify(hub.database, hub.objects)) == []
    hub.objects.remove(receipt.digest)
    with hub.database.engine.connect() as tx:
        _drop_guard(tx.dialect.name, hub)
    with hub.database.write() as tx:
        tx.execute(text("UPDATE audit SET entity = 'Delivery/999' WHERE id = 1"))
    problems = list(verify(hub.database, hub.objects))
    assert any(receipt.digest in problem for problem in problems)
    assert any("audit record 1" in problem for problem in problems)


def test_verify_finds_that_the_newest_audit_records_are_gone(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1"}).report_ids
    decided = hub.recognition.decide(hub.ask(), report_id=report_id, version=1, verdict=Decided.RECOGNISED)
    kept = hub.send({"mr": "2", "key": "F2"})
    assert list(verify(hub.database, hub.objects)) == []
    with hub.database.engine.connect() as tx:
        dialect = tx.dialect.name
    with hub.database.write() as tx:
        tx.execute(text(f"DROP TRIGGER {'audit_no_delete' if dialect == 'sqlite' else 'audit_append_only ON audit'}"))
        tx.execute(text("DELETE FROM audit WHERE action IN ('receive', 'decide') AND id > 1"))
    problems = "\n".join(verify(hub.database, hub.objects))
    assert f"delivery {kept.delivery_id}:" in problems
    assert f"DiagnosticReport/{decided.report_id}/_history/1:" in problems


def _drop_guard(dialect: str, hub: Kernel) -> None:
    with hub.database.write() as tx:
        name = "audit_no_update" if dialect == "sqlite" else "audit_append_only ON audit"
        tx.execute(text(f"DROP TRIGGER {name}"))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit",
        "UPDATE audit SET entity = ''",
        "DELETE FROM report_version",
        "UPDATE report_version SET version = 7",
        "DELETE FROM person_version",
        "DELETE FROM decision",
    ],
)
def test_what_was_recorded_cannot_be_changed_or_removed(hub: Kernel, statement: str) -> None:
    (report_id,) = hub.send({"mr": "1"}).report_ids
    hub.recognition.decide(hub.ask(), report_id=report_id, version=1, verdict=Decided.RECOGNISED)
    with pytest.raises(DBAPIError, match="append-only"), hub.database.engine.begin() as tx:
        tx.execute(text(statement))


def test_technician_sees_only_what_their_own_institution_sent(hub: Kernel) -> None:
    mine = hub.send({"mr": "1"}, source="CHC01")
    theirs = hub.send({"mr": "2", "key": "F2"}, source="CHC02")
    assert {record.id for record in hub.query.deliveries(hub.ask(TECHNICIAN)).items} == {mine.delivery_id}
    found = hub.query.reports(hub.ask(other(TECHNICIAN, "CHC02")), ReportCriteria())
    assert {record.id for record in found.items} == set(theirs.report_ids)
