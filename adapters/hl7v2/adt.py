"""ADT: the latest demographics of a patient, and merges of two numbers of one patient.

Source: HL7 v2 chapters 3.3 (A01, A04, A08, A28, A31; A18, A34 and A40, which merge) and 3.4.9 (MRG).
"""

from collections.abc import Iterator
from dataclasses import replace

from schemas.delivery import Reading
from schemas.faults import InvalidPayload
from schemas.identifiers import Identifier
from schemas.patient import Merge, Patient

from .context import Context
from .er7 import NULL, Segment
from .patients import identifiers_of, patient
from .persons import person_name


def read(context: Context) -> Reading:
    """The patients of an ADT message; what it says replaces what was known. Raises InvalidPayload without PID."""
    return Reading(patients=tuple(_patients(context).values()), update=True)


def read_merges(context: Context) -> Reading:
    """The patients, and of each the numbers that are no longer used: PID-3 survives, MRG-1 is merged into it.

    Raises InvalidPayload without MRG, without a usable number in it, or where a number is to become itself.
    """
    patients = _patients(context)
    merges: list[Merge] = []
    surviving: Patient | None = None
    for index, segment in enumerate(context.message.segments):
        surviving = patients.get(index, surviving)
        if segment.name == "MRG" and surviving:
            merges += _merges(segment, index, surviving, context)
    if not merges:
        raise InvalidPayload("expected a MRG segment behind the patient, found none", where="MRG")
    return Reading(patients=tuple(patients.values()), update=True, merges=tuple(dict.fromkeys(merges)))


def _patients(context: Context) -> dict[int, Patient]:
    """By the position of their PID."""
    found = {
        index: replace(patient(segment, index, context), deleted=_deleted(segment, context))
        for index, segment in enumerate(context.message.segments)
        if segment.name == "PID"
    }
    if not found:
        raise InvalidPayload("expected a PID segment, found none", where="PID")
    return found


def _deleted(pid: Segment, context: Context) -> tuple[str, ...]:
    """What PID asks to forget: a field that says `""`; of the sex also one that says in so many words it is unknown."""
    names = [name for name, number in (("name", 5), ("birth_date", 7)) if pid[number] == NULL]
    return (*names, "sex") if pid[8] == NULL or context.first(pid, 8) else tuple(names)


def _merges(mrg: Segment, index: int, surviving: Patient, context: Context) -> Iterator[Merge]:
    context.ledger.mapped(index)
    prior = identifiers_of(mrg[1], index, context) or identifiers_of(mrg[4], index, context)
    if not prior:
        raise InvalidPayload("no usable prior patient identifier", where="MRG-1")
    name = person_name(mrg[7], context)
    for identifier in prior:
        into = _counterpart(surviving, identifier)
        if into == identifier:
            raise InvalidPayload("the prior identifier is the surviving one", where="MRG-1")
        others = (each for each in surviving.identifiers if each not in (into, *prior))
        survivor = Patient((into, *others), surviving.name, surviving.birth_date, surviving.sex)
        yield Merge(Patient((identifier,), name), survivor)


def _counterpart(surviving: Patient, prior: Identifier) -> Identifier:
    """The surviving number of the authority that gave out the prior one; the patient's key where it gave out none."""
    return next((each for each in surviving.identifiers if each.system == prior.system), surviving.key)
