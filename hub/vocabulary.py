"""Which codes and units of a report mean something to its sender alone."""

from collections.abc import Iterable, Iterator

from schemas.codes import LOINC, Coding, system_uri
from schemas.mapping import MappingKind
from schemas.observation import Quantity
from schemas.report import Report, ReportCategory
from schemas.units import ucum

# No word is longer: a text in the place of a unit is nothing that a person could map.
_LONGEST = 200

# What was sent: the kind, its system, the code or unit itself.
Sent = tuple[MappingKind, str, str]


def foreign(reports: Iterable[Report]) -> Iterator[tuple[Sent, str]]:
    """The codes of laboratory results that are no LOINC codes, and their units that are none of UCUM.

    Each with the name under which it was sent; as often as it was sent, for whoever asks keeps those already seen.
    """
    for report in reports:
        if report.category is not ReportCategory.LABORATORY:
            continue
        here = system_uri(report.organization)
        for observation in report.observations:
            code, value = observation.code, observation.value
            if code.system != LOINC and code.code:
                yield (MappingKind.CODE, code.system, code.code), code.display
            # Asked of `ucum` once for each way of writing it: the answer is remembered there.
            unit = value.unit if isinstance(value, Quantity) and len(value.unit) <= _LONGEST else ""
            if isinstance(value, Quantity) and unit and not ucum(unit, value.unit_system):
                yield (MappingKind.UNIT, here, unit), code.display or code.code


def coding(sent: Sent, display: str) -> Coding:
    """What was sent, as a coded concept of its sender."""
    return Coding(sent[2], display, sent[1])
