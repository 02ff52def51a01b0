"""A card of CDS Hooks: one order, what there is for it already, and what becomes of it."""

from dataclasses import dataclass, field

from .recognition import Order
from .verdict import Answer


@dataclass(frozen=True, slots=True)
class KeptCard:
    """What feedback about a card decides. reports: (id, version) of each that answers the order.

    item: code of the catalogue. order: as the ordering system told it.
    """

    reports: tuple[tuple[int, int], ...]
    item: str
    order: Order = field(default_factory=Order)


@dataclass(frozen=True, slots=True)
class Answering:
    """What is said of a card. before: what was said last, as the asker knows it."""

    uuid: str
    before: str
    outcome: str


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card as it goes out. uuid: under which feedback comes back. reference: of the draft that it answers."""

    uuid: str
    answer: Answer
    kept: KeptCard
    reference: str = ""
