"""A page of results: never an unbounded list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`total`: how many match in all. `offset`: of the first item shown."""

    items: tuple[T, ...]
    total: int
    offset: int = 0

    @property
    def next_offset(self) -> int | None:
        """Where the next page begins; None on the last."""
        reached = self.offset + len(self.items)
        return reached if reached < self.total else None
