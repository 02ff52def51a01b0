"""A delivery between custody and index: its bytes are durable, what they say is known, nothing is promised yet."""

import hashlib
from dataclasses import dataclass

from schemas.delivery import Accounting, Delivery, Reading
from schemas.documents import to_json
from schemas.faults import Fault


@dataclass(frozen=True, slots=True)
class Prepared:
    """`outcome`: what the reader found, or why it refused. `parts`: objects made from it, as (digest, size).

    replay_of: id of the delivery whose bytes these are, when they are read again.
    """

    delivery: Delivery
    digest: str
    size: int
    outcome: Reading | Fault
    parts: tuple[tuple[str, int], ...] = ()
    replay_of: int = 0

    @property
    def accounting(self) -> Accounting:
        """What became of the parts of the content; empty where it could not be read."""
        return self.outcome.accounting if isinstance(self.outcome, Reading) else Accounting()

    @property
    def fingerprint(self) -> str:
        """What makes it the same delivery again: the bytes, and what was told beside them."""
        hint = self.delivery.origin.hint
        if hint is None:
            return self.digest
        return hashlib.sha256(self.digest.encode() + to_json(hint)).hexdigest()
