"""Which codes and units of a report mean something to its sender alone."""

from collections.abc import Iterable, Iterator
from itertools import chain

from schemas.codes import LOCAL, LOINC, Coding, system_uri
from schemas.mapping import MappingKind
from schemas.observation import Quantity
from schemas.order import ServiceOrder
from schemas.report import Report, ReportCategory
from schemas.units import ucum

_ORDERED = frozenset({ReportCategory.LABORATORY, ReportCategory.IMAGING, ReportCategory.ECG})
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


def ordered(reports: Iterable[Report], orders: Iterable[ServiceOrder]) -> Iterator[tuple[Sent, str]]:
    """The codes of an institution's own under which examinations are ordered and reported, with their names."""
    codes = (report.code for report in reports if report.category in _ORDERED)
    for code in chain(codes, (service for order in orders for service in order.services)):
        if code.code and (not code.system or code.system.startswith(LOCAL)) and len(code.code) <= _LONGEST:
            yield (MappingKind.ORDER, code.system, code.code), code.display


def coding(sent: Sent, display: str) -> Coding:
    """What was sent, as a coded concept of its sender."""
    return Coding(sent[2], display, sent[1])
