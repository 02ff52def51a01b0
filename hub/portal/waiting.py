"""What was asked of the list of deliveries, by the fields of its form."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from schemas.delivery import DeliveryCriteria, State
from schemas.faults import Category

from .formats import ZONE

EVERY = "all"
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Search:
    """The form as it was filled in; what cannot be is taken as empty."""

    state: str = State.QUARANTINED.value
    q: str = ""
    source: str = ""
    category: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def of(cls, said: Mapping[str, str]) -> "Search":
        state = said.get("state", State.QUARANTINED.value)
        category = said.get("category", "")
        return cls(
            state if state in set(State) else EVERY,
            said.get("q", "").strip()[:_LONGEST],
            said.get("source", "").strip()[:_LONGEST],
            category if category in set(Category) else "",
            _day(said.get("since", "")),
            _day(said.get("until", "")),
        )

    @property
    def criteria(self) -> DeliveryCriteria:
        """`until` is the last day that is meant, to its end."""
        return DeliveryCriteria(
            None if self.state == EVERY else State(self.state),
            self.q,
            self.source,
            Category(self.category) if self.category else None,
            _midnight(self.since),
            _midnight(self.until, dt.timedelta(days=1)),
        )

    @property
    def fields(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def query(self) -> str:
        """The search as part of an address."""
        return urlencode({name: value for name, value in self.fields.items() if value})

    @property
    def narrowed(self) -> bool:
        """Whether anything but the state and the words was asked."""
        return bool(self.source or self.category or self.since or self.until)


def _day(said: str) -> str:
    try:
        return dt.date.fromisoformat(said).isoformat()
    except ValueError:
        return ""


def _midnight(day: str, later: dt.timedelta = dt.timedelta()) -> dt.datetime | None:
    if not day:
        return None
    at = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), ZONE)
    try:
        return at + later
    except OverflowError:
        return None
