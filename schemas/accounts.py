"""What became of every segment and field of a message: mapped, kept as sent, or flagged.

Places and reasons, no content. Sums of it are stored with each delivery (schemas.delivery.Accounting); this is made
when somebody asks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from .delivery import Origin


class Fate(StrEnum):
    """The three things that can become of a part; there is no fourth."""

    MAPPED = "mapped"  # its content stands in a canonical value
    KEPT = "kept"  # the bytes have it, the report does not
    FLAGGED = "flagged"  # not understood, or doubtful: a person may want to look


@dataclass(frozen=True, slots=True)
class FieldAccount:
    """A valued field. `became`: names of canonical values (`observation.interpretation`), of what was mapped."""

    number: int
    fate: Fate
    became: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SegmentAccount:
    """A segment; `occurrence` counts those of its name from 1, so that (name, occurrence) is its place (`OBX[3]`)."""

    name: str
    occurrence: int
    fate: Fate
    reasons: tuple[str, ...] = ()
    fields: tuple[FieldAccount, ...] = ()

    @property
    def place(self) -> str:
        return f"{self.name}[{self.occurrence}]"


@dataclass(frozen=True, slots=True)
class MessageAccount:
    """One message of a content. category, text, where: of the fault for which it was refused, else empty."""

    segments: tuple[SegmentAccount, ...] = ()
    category: str = ""
    text: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """accounts: one for each message. texts: for each message its segments, and for each of them its fields as sent,
    the name first; the same segments as in the account. component: the delimiter between components, for each message.
    """

    accounts: tuple[MessageAccount, ...] = ()
    texts: tuple[tuple[tuple[str, ...], ...], ...] = ()
    components: tuple[str, ...] = ()


# Says what became of every part of a content; raises nothing: of what cannot be read it says so.
Examine = Callable[[bytes, Origin], Examined]
