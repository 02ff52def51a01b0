"""What became of each segment. Every one is mapped, kept raw or flagged, so the three add up by construction."""

from enum import IntEnum

from schemas.delivery import Accounting

from .er7 import Message

_MOST_NOTES = 1000


class Fate(IntEnum):
    """In rising order: what is once flagged stays flagged."""

    KEPT = 0
    MAPPED = 1
    FLAGGED = 2


class Ledger:
    """Segments are named by their position in the message, from 0. Notes tell places and reasons, never content."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._fates = [Fate.KEPT] * len(message.segments)
        self._notes: dict[int, list[str]] = {}

    def mapped(self, index: int) -> None:
        """Its content reached a canonical value."""
        if self._fates[index] is Fate.KEPT:
            self._fates[index] = Fate.MAPPED

    def kept(self, index: int, reason: str) -> None:
        """It stays raw, for this reason. Does not take back what was mapped."""
        self._notes.setdefault(index, []).append(f": {reason}")

    def flagged(self, index: int, field: int, reason: str) -> None:
        """Something in it could not be understood or is doubtful; a person may want to look."""
        self._fates[index] = Fate.FLAGGED
        self._notes.setdefault(index, []).append(f"-{field}: {reason}" if field else f": {reason}")

    def account(self) -> Accounting:
        """The sums, and a note for each segment that was not simply mapped."""
        fates = self._fates
        notes: list[str] = []
        seen: dict[str, int] = {}
        for index, segment in enumerate(self._message.segments):
            seen[segment.name] = seen.get(segment.name, 0) + 1
            reasons = self._notes.get(index)
            if reasons is None and fates[index] is Fate.KEPT:
                reasons = [": kept as sent"]
            if reasons:
                place = f"{_printable(segment.name)}[{seen[segment.name]}]"
                notes += [place + reason for reason in reasons]
        if len(notes) > _MOST_NOTES:
            notes[_MOST_NOTES:] = [f"and {len(notes) - _MOST_NOTES} more"]
        mapped, flagged = fates.count(Fate.MAPPED), fates.count(Fate.FLAGGED)
        return Accounting(len(fates), mapped, len(fates) - mapped - flagged, flagged, tuple(notes))


def _printable(name: str) -> str:
    return name if name.isascii() and name.isalnum() else "???"
