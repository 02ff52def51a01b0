"""What every mapping of one message needs at hand."""

import datetime as dt
from dataclasses import dataclass, field

from schemas.delivery import Origin

from .accounting import Ledger
from .er7 import NULL, Message, Segment
from .escapes import unescape
from .times import moment

_NO_TIME = frozenset({"", NULL})
LONGEST_TOKEN = 200  # of codes, identifiers and order numbers: what indexes can hold


@dataclass(slots=True)
class Context:
    """A message on its way to canonical values. `parts`: contents of attachments found on the way."""

    message: Message
    origin: Origin
    ledger: Ledger
    parts: list[bytes] = field(default_factory=list)

    def text(self, raw: str) -> str:
        """What a field, component or subcomponent says: escapes read, blanks around it gone, `""` empty."""
        if raw == NULL:
            return ""
        if self.message.delimiters.escape in raw:
            raw = unescape(raw, self.message.delimiters, self.message.decoded.escape_codec)
        return raw.strip()

    def first(self, segment: Segment, number: int, component: int = 1) -> str:
        """A component of a field's first repetition, as text."""
        raw = segment[number]
        return self.text(self.message.delimiters.first(raw, component)) if raw else ""

    def token(self, segment: Segment, number: int) -> str:
        """As `first`, short enough for an index."""
        return self.first(segment, number)[:LONGEST_TOKEN]

    def repetitions(self, raw: str) -> list[str]:
        """The repetitions of a field, as sent, without empty ones."""
        return [each for each in self.message.delimiters.split(raw, self.message.delimiters.repetition) if each]

    def components(self, raw: str) -> list[str]:
        """The components of a repetition, as text."""
        delimiters = self.message.delimiters
        return [self.text(each) for each in delimiters.split(raw, delimiters.component)]

    def subcomponents(self, raw: str) -> list[str]:
        """The subcomponents of a component, as text."""
        delimiters = self.message.delimiters
        return [self.text(each) for each in delimiters.split(raw, delimiters.subcomponent)]

    def moment(self, segment: Segment, number: int, index: int) -> dt.datetime | None:
        """The time in a field; None where there is none, and flagged where what stands there is none."""
        raw = segment[number]
        if not raw or (raw := self.message.delimiters.first(raw)) in _NO_TIME:
            return None
        found = moment(raw, self.origin.source.time_zone)
        if found is None:
            self.ledger.flagged(index, number, "not a time that exists, left out")
        return found
