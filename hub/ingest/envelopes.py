"""What is known of a delivery beside its bytes, durable with them: the index can be written again from both.

So an image needs one sync of the disk, not a second one for the index: should the machine stop before the system has
written the index, what was acknowledged is indexed again at the next start.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence

import structlog

from schemas.delivery import Channel, Delivery, Format, Origin
from storage import deliveries, organizations
from storage.database import Database
from storage.objects import Objects

log = structlog.get_logger()

# Those whose answer names nothing of ours: what is indexed again may get another number.
_NAMELESS = frozenset({Channel.C_STORE})
_BETWEEN = "\0"


def envelope(delivery: Delivery) -> bytes:
    """What `recall` needs; nothing for a delivery whose place in the index must be durable before it is promised."""
    origin = delivery.origin
    if origin.channel not in _NAMELESS or origin.account or origin.hint:
        return b""
    # When it came is first, to sort by; the sender's word is last, and may hold what it likes.
    told = (
        origin.received_at.isoformat(),
        origin.source.name,
        origin.channel.value,
        origin.address,
        delivery.format.value,
        delivery.message_id,
    )
    return _BETWEEN.join(told).encode()


def recall(database: Database, objects: Objects, deliver: Callable[[Delivery], object]) -> int:
    """Takes again, in the order in which they came, deliveries that were promised and that the index has lost; how
    many. Raises Busy.
    """
    number = 0

    def again(told: Sequence[tuple[str, bytes]]) -> None:
        nonlocal number
        for delivery in _lost(database, objects, sorted(told, key=_came)):
            deliver(delivery)
            number += 1
        database.make_durable()

    objects.recall(again)
    if number:
        log.warning("ingest.recalled", deliveries=number)
    return number


def _came(told: tuple[str, bytes]) -> bytes:
    # What came at the same moment stays in the order in which it was written, and so indexed.
    return told[1].partition(_BETWEEN.encode())[0]


def _lost(database: Database, objects: Objects, told: Iterable[tuple[str, bytes]]) -> Iterator[Delivery]:
    for digest, each in told:
        received_at, name, channel, address, kind, message_id = each.decode().split(_BETWEEN, 5)
        with database.read() as tx:
            source = organizations.source(tx, name)
            known = source and deliveries.known_receipt(tx, source.id, digest)
        if source is None:
            log.error("ingest.not_recalled", digest=digest, reason="its source is not registered any more")
        elif not known:
            origin = Origin(source, Channel(channel), dt.datetime.fromisoformat(received_at), address)
            with objects.open(digest) as content:
                yield Delivery(origin, Format(kind), content, message_id)
