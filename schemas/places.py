"""Places in a message as people write them: `PID-3.4`, `OBX[3]-5`, `MSH`."""

import re
from dataclasses import dataclass

_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d{1,6})\])?(?:-(\d{1,4})(?:\.(\d{1,4}))?)?")


@dataclass(frozen=True, slots=True)
class Place:
    """occurrence: from 1, the first where none is named. field, component: 0 for the whole segment or field."""

    segment: str = ""
    occurrence: int = 1
    field: int = 0
    component: int = 0

    def is_at(self, segment: str, occurrence: int) -> bool:
        """Whether it names this segment."""
        return (self.segment, self.occurrence) == (segment, occurrence)


def place_of(where: str) -> Place:
    """The place that a fault names; one without a segment where it names none in a message."""
    found = _PLACE.fullmatch(where)
    if not found:
        return Place()
    return Place(found[1], int(found[2] or 1), int(found[3] or 0), int(found[4] or 0))
