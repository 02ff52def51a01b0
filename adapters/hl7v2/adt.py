"""ADT^A01, A04, A08, A28, A31 to the latest demographics of a patient. Source: HL7 v2 chapter 3.3."""

from schemas.delivery import Reading
from schemas.faults import InvalidPayload

from .context import Context
from .patients import patient


def read(context: Context) -> Reading:
    """The patients of an ADT message; what it says replaces what was known. Raises InvalidPayload without PID."""
    found = [
        patient(segment, index, context)
        for index, segment in enumerate(context.message.segments)
        if segment.name == "PID"
    ]
    if not found:
        raise InvalidPayload("expected a PID segment, found none", where="PID")
    return Reading(patients=tuple(found), update=True)
