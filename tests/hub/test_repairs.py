"""What an administrator does about what waits: corrected copies and reading many again, on both engines."""

import dataclasses
import datetime as dt
import json
from typing import Any

import pytest

from schemas.delivery import Channel, DeliveryCriteria, Receipt, RepairReason, State
from schemas.disclosure import Action
from schemas.faults import Category, Conflict, Forbidden, InvalidPayload, NotFound
from storage import audit, deliveries
from tests.hub.kernel import ADMIN, AUDITOR, CLINICIAN, TECHNICIAN, Kernel

REASON = RepairReason.STRUCTURE
BROKEN = b'{"mr": "7", "key": "F7"'


def fixed(**more: Any) -> bytes:  # noqa: ANN401 - a JSON document
    return json.dumps({"mr": "7", "key": "F7"} | more).encode()


def record(hub: Kernel, delivery_id: int) -> Any:  # noqa: ANN401 - a DeliveryRecord
    return hub.query.delivery(hub.ask(ADMIN), delivery_id)


def kept(hub: Kernel, delivery_id: int) -> bytes:
    return hub.objects.read(record(hub, delivery_id).digest)


def repair(hub: Kernel, receipt: Receipt, content: bytes, reason: RepairReason = REASON) -> Receipt:
    return hub.repairs.repair(hub.ask(ADMIN), receipt.delivery_id, content, reason)


def test_a_repaired_copy_is_a_new_delivery_and_the_original_stays_as_it_came(hub: Kernel) -> None:
    original = hub.send(BROKEN)
    copy = repair(hub, original, fixed())
    assert (copy.state, len(copy.report_ids)) == (State.INDEXED, 1)
    assert kept(hub, original.delivery_id) == BROKEN
    was, now = record(hub, original.delivery_id), record(hub, copy.delivery_id)
    assert (was.state, was.repaired_by, was.category) == (State.REPAIRED, (copy.delivery_id,), "invalid")
    assert (now.repair_of, now.channel, now.source) == (original.delivery_id, Channel.REPAIR, was.source)
    content = hub.retrieve.original(hub.ask(ADMIN), original.delivery_id)
    assert b"".join(content.chunks) == BROKEN


def test_a_repair_is_audited_with_account_and_reason(hub: Kernel) -> None:
    original = hub.send(BROKEN)
    copy = repair(hub, original, fixed(), RepairReason.IDENTIFIER)
    trail = hub.query.audit(hub.ask(AUDITOR), action=Action.REPAIR).items
    assert [(each.account, each.entity, each.detail) for each in trail] == [
        ("admin", f"Delivery/{original.delivery_id}", f"identifier Delivery/{copy.delivery_id}")
    ]
    with hub.database.read() as tx:
        assert not list(audit.broken_links(tx))


def test_a_copy_that_is_broken_too_leaves_the_original_waiting(hub: Kernel) -> None:
    original = hub.send(BROKEN)
    copy = repair(hub, original, BROKEN + b" ")
    assert copy.state is State.QUARANTINED
    assert record(hub, original.delivery_id).state is State.QUARANTINED
    again = repair(hub, copy, fixed())
    assert again.state is State.INDEXED
    # Both wait no longer: the copy of the copy answers for them.
    assert [record(hub, each.delivery_id).state for each in (original, copy)] == [State.REPAIRED] * 2


def test_a_held_copy_that_is_indexed_later_settles_its_original(hub: Kernel) -> None:
    hub.send({"mr": "7", "key": "F1", "born": "1968-04-12"})
    original = hub.send(BROKEN)
    copy = repair(hub, original, fixed(born="1970-01-01"))
    assert copy.state is State.HELD
    hub.send({"mr": "7", "adt": True, "born": "1970-01-01"})
    assert hub.repairs.replay(hub.ask(ADMIN), [copy.delivery_id]).states == {State.INDEXED: 1}
    assert record(hub, original.delivery_id).state is State.REPAIRED


def test_what_does_not_wait_or_was_not_changed_is_not_repaired(hub: Kernel) -> None:
    taken, broken = hub.send(fixed()), hub.send(BROKEN)
    with pytest.raises(Conflict):
        repair(hub, taken, fixed(key="F8"))
    with pytest.raises(InvalidPayload):
        repair(hub, broken, BROKEN)
    with pytest.raises(Conflict, match=f"delivery {taken.delivery_id}"):
        repair(hub, broken, fixed())
    assert record(hub, broken.delivery_id).state is State.QUARANTINED
    assert hub.query.deliveries(hub.ask(ADMIN)).total == 2


@pytest.mark.parametrize("who", [CLINICIAN, TECHNICIAN, AUDITOR])
def test_only_administrators_repair_and_replay(hub: Kernel, who: Any) -> None:  # noqa: ANN401 - a Principal
    original = hub.send(BROKEN)
    with pytest.raises(Forbidden):
        hub.repairs.repair(hub.ask(who), original.delivery_id, fixed(), REASON)
    with pytest.raises(Forbidden):
        hub.repairs.replay(hub.ask(who), [original.delivery_id])
    with pytest.raises(Forbidden):
        hub.examination.text(hub.ask(who), original.delivery_id)


def test_many_are_read_again_with_one_count_for_all(hub: Kernel) -> None:
    waiting = [hub.send(BROKEN + b" " * n) for n in range(3)]
    taken = hub.send(fixed(key="F9"))
    ids = [each.delivery_id for each in [*waiting, taken]]
    found = hub.repairs.replay(hub.ask(ADMIN), [*ids, ids[0]])
    assert (found.states, found.faults) == (
        {State.QUARANTINED: 3, State.INDEXED: 1},
        {Category.INVALID: 3, Category.CONFLICT: 1},
    )
    with pytest.raises(NotFound):
        hub.repairs.replay(hub.ask(ADMIN), [999_999])


def test_a_search_is_read_again_oldest_first_and_says_what_is_left(hub: Kernel) -> None:
    hub.send({"mr": "7", "key": "F1", "born": "1968-04-12"})
    held = [hub.send({"mr": "7", "key": f"K{n}", "born": "1970-01-01"}) for n in range(3)]
    hub.send(BROKEN)
    hub.send({"mr": "7", "adt": True, "born": "1970-01-01"})
    wanted = DeliveryCriteria(State.HELD)
    first = hub.repairs.replay(hub.ask(ADMIN), wanted, most=2)
    assert (first.states, first.left) == ({State.INDEXED: 2}, 1)
    assert record(hub, held[2].delivery_id).state is State.HELD
    assert hub.repairs.replay(hub.ask(ADMIN), wanted).states == {State.INDEXED: 1}
    assert hub.repairs.replay(hub.ask(ADMIN), wanted).total == 0


def test_deliveries_are_found_by_sender_state_day_and_fault(hub: Kernel) -> None:
    broken = hub.send(BROKEN)
    hub.send(fixed(), source="CHC02")
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    for found, wanted in [
        (1, DeliveryCriteria(source="chc01")),
        (1, DeliveryCriteria(category=Category.INVALID)),
        (0, DeliveryCriteria(category=Category.CONFLICT)),
        (2, DeliveryCriteria(since=now - day, until=now + day)),
        (0, DeliveryCriteria(until=now - day)),
        (1, DeliveryCriteria(text="byte 0")),
        (2, DeliveryCriteria(text="m1")),
        (0, DeliveryCriteria(text="%")),
        (1, DeliveryCriteria(text=broken.digest[:12])),
    ]:
        assert hub.query.deliveries(hub.ask(ADMIN), wanted).total == found, wanted
    with hub.database.read() as tx:
        mine = dataclasses.replace(hub.ask(ADMIN), only_organization="CHC02")
        assert deliveries.waiting(tx, mine, DeliveryCriteria()) == []
        assert deliveries.waiting(tx, hub.ask(ADMIN), DeliveryCriteria()) == [broken.delivery_id]


def test_a_preview_keeps_nothing(hub: Kernel) -> None:
    original = hub.send(BROKEN)
    asker = hub.ask(ADMIN)
    assert hub.examination.text(asker, original.delivery_id) == BROKEN.decode()
    found = hub.examination.preview(asker, original.delivery_id, fixed().decode())
    assert not isinstance(found.outcome, InvalidPayload)
    assert found.changed
    assert not hub.examination.preview(asker, original.delivery_id, BROKEN.decode()).changed
    assert hub.query.deliveries(asker).total == 1
    reads = hub.query.audit(hub.ask(AUDITOR), action=Action.READ).items
    assert {each.entity for each in reads} == {f"Delivery/{original.delivery_id}"}


def test_what_became_a_report_is_examined_by_those_who_treat_only(hub: Kernel) -> None:
    taken = hub.send(fixed())
    with pytest.raises(Forbidden):
        hub.examination.examined(hub.ask(ADMIN), taken.delivery_id)
    with pytest.raises(Forbidden):
        hub.examination.text(hub.ask(ADMIN), taken.delivery_id)
    assert hub.examination.examined(hub.ask(CLINICIAN), taken.delivery_id) is None
