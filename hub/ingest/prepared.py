"""A delivery between custody and index: its bytes are durable, what they say is known, nothing is promised yet."""

import hashlib
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


@dataclass(frozen=True, slots=True)
class Prepared:
    """`outcome`: what the reader found, or why it refused. `parts`: objects made from it, as (digest, size).

    replay_of: id of the delivery whose bytes these are, when they are read again.
    repair: the delivery that this one is a corrected copy of, and who says why.
    """

    delivery: Delivery
    digest: str
    size: int
    outcome: Reading | Fault
    parts: tuple[tuple[str, int], ...] = ()
    replay_of: int = 0
    repair: Repair | None = None

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
