"""What became of each segment. Every one is mapped, kept raw or flagged, so the three add up by construction."""

from schemas.accounts import Fate
from schemas.delivery import Accounting

from .er7 import Message

_MOST_NOTES = 1000

Note = tuple[int, str]  # the field, 0 for the segment as a whole, and the reason


class Ledger:
    """Segments are named by their position in the message, from 0. Notes tell places and reasons, never content."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._fates = [Fate.KEPT] * len(message.segments)
        self._notes: dict[int, list[Note]] = {}

    def mapped(self, index: int) -> None:
        """Its content reached a canonical value."""
        if self._fates[index] is Fate.KEPT:
            self._fates[index] = Fate.MAPPED

    def kept(self, index: int, reason: str) -> None:
        """It stays raw, for this reason. Does not take back what was mapped."""
        self._notes.setdefault(index, []).append((0, reason))

    def flagged(self, index: int, field: int, reason: str) -> None:
        """Something in it could not be understood or is doubtful; a person may want to look."""
        self._fates[index] = Fate.FLAGGED
        self._notes.setdefault(index, []).append((field, reason))

    def fate(self, index: int) -> Fate:
        """What became of a segment."""
        return self._fates[index]

    def notes(self, index: int) -> list[Note]:
        """What was noted of a segment, and of which of its fields."""
        found = self._notes.get(index)
        return found or ([(0, "kept as sent")] if self._fates[index] is Fate.KEPT else [])

    def account(self) -> Accounting:
        """The sums, and a note for each segment that was not simply mapped."""
        fates = self._fates
        notes: list[str] = []
        seen: dict[str, int] = {}
        for index, segment in enumerate(self._message.segments):
            seen[segment.name] = seen.get(segment.name, 0) + 1
            if fates[index] is not Fate.MAPPED or index in self._notes:
                place = f"{printable(segment.name)}[{seen[segment.name]}]"
                notes += [
                    f"{place}-{field}: {reason}" if field else f"{place}: {reason}"
                    for field, reason in self.notes(index)
                ]
        if len(notes) > _MOST_NOTES:
            notes[_MOST_NOTES:] = [f"and {len(notes) - _MOST_NOTES} more"]
        mapped, flagged = fates.count(Fate.MAPPED), fates.count(Fate.FLAGGED)
        return Accounting(len(fates), mapped, len(fates) - mapped - flagged, flagged, tuple(notes))


def printable(name: str) -> str:
    """A segment's name as a place says it; what is no name is content, and is not said."""
    return name if name.isascii() and name.isalnum() else "???"
