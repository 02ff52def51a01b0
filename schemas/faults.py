"""One vocabulary of failure. Each protocol renders a category at its own edge.

A fault's text says what was expected and what was found; `where` names the place in the sender's own terms
(`PID-3.4`, `(0020,000D)`, `/component[2]`). Neither ever says whose data it was: both reach logs and senders.
"""

from enum import StrEnum


class Category(StrEnum):
    """Why something was refused; rendered in hub.api.outcomes, adapters.hl7v2.ack and adapters.dicom.status."""

    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    BUSY = "busy"
    INTERNAL = "internal"


class Fault(Exception):
    """Something the hub refuses, with the reason a sender's engineer can act on."""

    category = Category.INTERNAL

    def __init__(self, text: str, *, where: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.where = where

    def __str__(self) -> str:
        return f"{self.text} [{self.where}]" if self.where else self.text


class InvalidPayload(Fault):
    """What came cannot be read as what it claims to be."""

    category = Category.INVALID


class UnsupportedPayload(Fault):
    """Well formed as far as we can tell, but a kind that this hub does not take."""

    category = Category.UNSUPPORTED


class NotFound(Fault):
    """It does not exist, or the asker may not know that it does."""

    category = Category.NOT_FOUND


class Conflict(Fault):
    """It contradicts what is already known; a person decides, nothing is overwritten."""

    category = Category.CONFLICT


class IdentityConflict(Conflict):
    """The patient it names contradicts the patient already known under that identifier."""


class ContentConflict(Conflict):
    """The same identifier with other content."""


class Forbidden(Fault):
    """The sender is unknown, or the asker's role does not include this."""

    category = Category.FORBIDDEN


class Busy(Fault):
    """Not now: a store is full, locked or unreachable. Sending again later is right."""

    category = Category.BUSY


class Internal(Fault):
    """A fault of ours. The bytes are kept where there were any."""


FAULTS: dict[Category, type[Fault]] = {
    Category.INVALID: InvalidPayload,
    Category.UNSUPPORTED: UnsupportedPayload,
    Category.NOT_FOUND: NotFound,
    Category.CONFLICT: Conflict,
    Category.FORBIDDEN: Forbidden,
    Category.BUSY: Busy,
    Category.INTERNAL: Internal,
}
