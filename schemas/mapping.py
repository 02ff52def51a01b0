"""What a source's own code or unit means in the district's terms: a person decides, and every reading applies it."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .codes import CATALOGUE, LOINC, UCUM, Coding, system_uri

_Sent = tuple[str, str]


class MappingKind(StrEnum):
    """What is mapped: the code of a result (OBX-3), the unit of its value (OBX-6), or of what is ordered (OBR-4)."""

    CODE = "code"
    UNIT = "unit"
    ORDER = "order"


# The system in which the meaning is told.
TARGET = {MappingKind.CODE: LOINC, MappingKind.UNIT: UCUM, MappingKind.ORDER: CATALOGUE}


@dataclass(frozen=True, slots=True)
class Mapping:
    """One decision; the latest about the same (kind, system, code) is in force.

    system, code: as sent; for a unit the institution's own system, for units mean what their writer means by them.
    concept: what it stands for; None takes an earlier decision back. decided_at: our clock.
    """

    kind: MappingKind
    system: str
    code: str
    concept: Coding | None
    decided_by: str
    decided_at: dt.datetime
    reason: str = ""
    id: int = 0


class Concepts:
    """The mappings in force at one moment; immutable, hence safe to keep and to share."""

    def __init__(self, decisions: Iterable[Mapping] = ()) -> None:
        """`decisions`: oldest first."""
        latest = {(each.kind, each.system, each.code): each for each in decisions}
        self._codes: dict[_Sent, Coding] = {}
        self._units: dict[_Sent, Coding] = {}
        self._orders: dict[_Sent, Coding] = {}
        self._sent: dict[str, set[_Sent]] = {}
        for mapping in latest.values():
            if mapping.concept is not None:
                self._put(mapping, mapping.concept)

    def _put(self, mapping: Mapping, concept: Coding) -> None:
        if mapping.kind is MappingKind.UNIT:
            self._units[mapping.system, mapping.code] = concept
            return
        if mapping.kind is MappingKind.ORDER:
            self._orders[mapping.system, mapping.code] = concept
            return
        self._codes[mapping.system, mapping.code] = concept
        self._sent.setdefault(concept.code, set()).add((mapping.system, mapping.code))

    def of(self, coding: Coding) -> Coding | None:
        """The district's analyte that a result's code stands for: a LOINC code for itself, any other as it is mapped.

        None for a code that nobody has mapped.
        """
        return coding if coding.system == LOINC else self._codes.get((coding.system, coding.code))

    def codes_of(self, concept: Coding) -> frozenset[tuple[str, str]]:
        """Every (system, code) under which results of this concept lie, the concept's own first among equals.

        A concept without a system is meant in any; then its own pair has an empty system, which matches any too.
        """
        own = {(concept.system, concept.code)}
        if concept.system not in ("", LOINC):
            return frozenset(own)
        return frozenset(own | self._sent.get(concept.code, set()))

    def unit(self, organization: str, unit: str) -> str:
        """The UCUM code that an institution means by a unit of its own writing; empty where nobody has mapped it."""
        concept = self.of_unit(system_uri(organization), unit)
        return concept.code if concept else ""

    def of_unit(self, system: str, unit: str) -> Coding | None:
        """The same, of a unit as a mapping names it."""
        return self._units.get((system, unit))

    def of_order(self, system: str, code: str) -> Coding | None:
        """The catalogue's item that a code of what is ordered or reported stands for; None where nobody mapped it."""
        return self._orders.get((system, code))

    def meaning(self, kind: MappingKind, coding: Coding) -> Coding | None:
        """What a code or unit as sent stands for."""
        if kind is MappingKind.CODE:
            return self.of(coding)
        known = self._units if kind is MappingKind.UNIT else self._orders
        return known.get((coding.system, coding.code))
