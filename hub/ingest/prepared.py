"""A delivery at the door, and between custody and index: its bytes are durable, what they say is known, nothing is
promised yet.
"""

import hashlib
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.delivery import Accounting, Delivery, PatientHint, Reading, RepairReason
from schemas.disclosure import Disclosure
from schemas.documents import to_json
from schemas.faults import Fault


@dataclass(frozen=True, slots=True)
class Repair:
    """Who made a corrected copy of which delivery, and why: `reason` is one of schemas.delivery.RepairReason."""

    original_id: int
    disclosure: Disclosure
    reason: RepairReason


# What is shorter is held in memory, and done with in a few milliseconds. The longer come in pieces.
_SHORT, _PIECE = 1 << 20, 1 << 20


class Arrived:
    """A delivery at the door. whole: it is short, and stands in memory to its end.

    begun: when it came, by the monotonic clock. prepared: what became of it, once it is archived and read.
    """

    def __init__(self, delivery: Delivery, repair: Repair | None = None) -> None:
        self.begun = time.monotonic()
        self.delivery = delivery
        self.repair = repair
        self.prepared: Prepared | None = None
        self._head: deque[bytes] = deque()
        read = 0
        while read < _SHORT and (piece := delivery.content.read(_PIECE)):
            self._head.append(piece)
            read += len(piece)
        self.whole = read < _SHORT

    @property
    def content(self) -> bytes:
        """All of it, where it is whole."""
        return b"".join(self._head)

    def pieces(self) -> Iterator[bytes]:
        """All of it, once; none is held any longer than it takes to hand it on."""
        while self._head:
            yield self._head.popleft()
        while not self.whole and (piece := self.delivery.content.read(_PIECE)):
            yield piece


@dataclass(frozen=True, slots=True)
class Prepared:
    """`outcome`: what the reader found, or why it refused. `parts`: objects made from it, as (digest, size).

    replay_of: id of the delivery whose bytes these are, when they are read again.
    repair: the delivery that this one is a corrected copy of, and who says why.
    accepted_by: who decided that it may take the place of what is stored under the same identifier.
    enclosed: its envelope is durable too, and what the index loses of it is written again from there.
    """

    delivery: Delivery
    digest: str
    size: int
    outcome: Reading | Fault
    parts: tuple[tuple[str, int], ...] = ()
    replay_of: int = 0
    repair: Repair | None = None
    accepted_by: str = ""
    enclosed: bool = False

    @property
    def accounting(self) -> Accounting:
        """What became of the parts of the content; empty where it could not be read."""
        return self.outcome.accounting if isinstance(self.outcome, Reading) else Accounting()

    @property
    def fingerprint(self) -> str:
        """What makes it the same delivery again: the bytes, and what was told beside them."""
        return fingerprint(self.digest, self.delivery.origin.hint)


def fingerprint(digest: str, hint: PatientHint | None) -> str:
    """What tells deliveries of one source apart: the content's digest, with whatever was told beside it."""
    return hashlib.sha256(digest.encode() + to_json(hint)).hexdigest() if hint else digest
