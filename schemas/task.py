"""What waits for a person who knows: a code or a unit that results arrive under and nobody has mapped."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from .codes import Coding
from .mapping import MappingKind


class TaskState(StrEnum):
    """Where a task stands. A mapping that is taken back opens it again."""

    OPEN = "open"
    MAPPED = "mapped"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Task:
    """A code (or unit) as it was first seen. `display`: its name as sent; for a unit, the name of a result that had it.

    source, organization: of the sender that was first. found_at, decided_at: our clock. reason: why it was dismissed.
    """

    id: int
    kind: MappingKind
    system: str
    code: str
    display: str
    source: str
    organization: str
    found_at: dt.datetime
    state: TaskState
    decided_by: str = ""
    decided_at: dt.datetime | None = None
    reason: str = ""
    concept: Coding | None = None
