"""ORU^R01, an observation message, to reports: one for each order group.

ORU^R30 to R32 come from analysers at the point of care and differ in what may be missing, which is nothing new here.
Source: HL7 v2 chapters 7.3.1 and 7.3.3 to 7.3.5.
"""

from dataclasses import replace

from schemas.delivery import Reading
from schemas.faults import InvalidPayload, UnsupportedPayload
from schemas.patient import Patient
from schemas.report import Report

from .context import Context
from .groups import Group, order_groups
from .patients import patient
from .recordings import with_recordings
from .reports import report


def read(context: Context) -> Reading:
    """The reports of an ORU^R01. Raises UnsupportedPayload where it has no patient, or no results."""
    return of_groups(order_groups(context.message), context)


def of_groups(groups: list[Group], context: Context) -> Reading:
    """The reports that these groups of a message are. Raises as `read`."""
    if not any(segment.name == "PID" for segment in context.message.segments):
        # Analysers send controls and calibrations the same way: they are nobody's results.
        raise UnsupportedPayload("no patient: quality control results are not taken", where="PID")
    if not any(group.pid for group in groups):
        raise InvalidPayload("expected results behind the patient, found none", where="OBR")
    patients: dict[int, Patient] = {}
    reports = [report(group, _patient(group, patients, context), context) for group in groups if group.pid]
    reports = _saying_something([group for group in groups if group.pid], reports)
    for group in groups:
        if not group.pid:
            _unowned(group, context)
    told, recordings = with_recordings(_told_apart(reports), context)
    return Reading(reports=told, parts=tuple(dict.fromkeys(context.parts)), recordings=recordings)


def _unowned(group: Group, context: Context) -> None:
    indexes = [placed[0] for placed in (group.orc, group.obr, *group.notes) if placed]
    for index in indexes + [result.index for result in group.results + group.of_specimen]:
        context.ledger.flagged(index, 0, "stands before any patient, left out")


def _patient(group: Group, patients: dict[int, Patient], context: Context) -> Patient:
    assert group.pid is not None
    index, pid = group.pid
    if index not in patients:
        patients[index] = patient(pid, index, context)
    return patients[index]


def _saying_something(groups: list[Group], reports: list[Report]) -> list[Report]:
    """Without those that neither an order nor a result speaks for, such as an empty document before the order.

    Where nothing else came they stay: somebody sent them.
    """
    told = [each for group, each in zip(groups, reports, strict=True) if group.obr or "no-results" not in each.flags]
    return told or reports


def _told_apart(reports: list[Report]) -> list[Report]:
    """Two groups of one message are two reports, even where the sender gave both the same number and service."""
    seen: dict[tuple[str, str], int] = {}
    told: list[Report] = []
    for each in reports:
        count = seen[each.category, each.key] = seen.get((each.category, each.key), 0) + 1
        if count > 1:
            each = replace(each, key=f"{each.key}#{count}", flags=(*each.flags, "order-number-repeated"))
        told.append(each)
    return told
