"""PID to Patient. Source: HL7 v2 chapter 3.4.2."""

import re
import unicodedata
from collections.abc import Iterator

from schemas.faults import InvalidPayload
from schemas.identifiers import HEALTH_CARD, RESIDENT_ID, Identifier, authority_system, resident_number
from schemas.patient import Patient, Sex

from .context import LONGEST_TOKEN, Context
from .er7 import Segment
from .persons import person_name
from .times import date

# PID-3.5, table 0203, and what senders here write for the resident identity number and the health card.
_RESIDENT_TYPES = frozenset({"NNCHN", "NI", "NNCN", "SS", "ID", "IDCARD", "SFZ", "身份证", "身份证号", "居民身份证"})
_CARD_TYPES = frozenset({"HC", "JKK", "EHC", "健康卡", "居民健康卡"})
# Typed to get past a field that must be filled; as identifiers they would make one person of many.
_PLACEHOLDERS = frozenset({"", "-", "--", "N/A", "NA", "NULL", "NONE", "UNKNOWN", "无", "不详", "未知", "未提供"})

# Where a profile may say that the resident number stands: `PID-4`, `ZPI-3`, `PID-3.1`.
_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})-([1-9][0-9]?)(?:\.([1-9]))?")
_NO_LONGER_THE_PATIENT = frozenset({"PID", "ORC", "OBR", "OBX"})

_SEXES = {
    Sex.MALE: ("M", "MALE", "男", "男性", "1"),
    Sex.FEMALE: ("F", "FEMALE", "女", "女性", "2"),
    Sex.OTHER: ("O", "OTHER", "A", "AMBIGUOUS"),
    Sex.UNKNOWN: ("", "U", "UNKNOWN", "N", "0", "9", "未知", "未说明", "不详"),
}
_SEX = {word: sex for sex, words in _SEXES.items() for word in words}


def patient(pid: Segment, index: int, context: Context) -> Patient:
    """The patient of a PID segment. Raises InvalidPayload where nothing identifies them."""
    ledger = context.ledger
    ledger.mapped(index)
    name = person_name(pid[5], context)
    if not name.text:
        ledger.flagged(index, 5, "no name")
    identifiers = _identifiers(pid, index, context)
    if not identifiers:
        raise InvalidPayload("no usable patient identifier", where="PID-3")
    born = context.first(pid, 7)
    birth_date = date(born) if born else None
    if born and birth_date is None:
        ledger.flagged(index, 7, "not a day that exists, left out")
    sex = _SEX.get(context.first(pid, 8).upper())
    if sex is None:
        ledger.flagged(index, 8, "administrative sex of an unknown code, taken as unknown")
    return Patient(identifiers, name, birth_date, sex or Sex.UNKNOWN)


def _identifiers(pid: Segment, index: int, context: Context) -> tuple[Identifier, ...]:
    """The source's own identifier first, for that is the key by which it knows the patient; then the district's."""
    found = [each for repetition in context.repetitions(pid[3]) for each in _of_repetition(repetition, index, context)]
    if not any(each.system != RESIDENT_ID and each.system != HEALTH_CARD for each in found):
        # Older senders and analysers put it into the external (PID-2) or the alternate (PID-4) field.
        for number in (2, 4):
            for repetition in context.repetitions(pid[number]):
                found += _of_repetition(repetition, index, context)
    found += _resident(context.first(pid, 19), index, 19, context)
    found += _resident_where_profile_says(index, context)
    unique = dict.fromkeys(found)
    return tuple(sorted(unique, key=lambda each: each.system in (RESIDENT_ID, HEALTH_CARD)))


def identifiers_of(raw: str, index: int, context: Context) -> tuple[Identifier, ...]:
    """A source's own identifiers in a field of type CX; those that name the person everywhere are left out."""
    found = (each for repetition in context.repetitions(raw) for each in _of_repetition(repetition, index, context))
    return tuple(dict.fromkeys(each for each in found if each.system not in (RESIDENT_ID, HEALTH_CARD)))


def _resident(text: str, index: int, field: int, context: Context) -> Iterator[Identifier]:
    """The resident number that a field of its own holds."""
    if not text or text.upper() in _PLACEHOLDERS:
        return
    if resident := resident_number(text):
        yield Identifier(RESIDENT_ID, resident.number)
    else:
        context.ledger.flagged(index, field, "not a resident identity number, left out")


def _resident_where_profile_says(index: int, context: Context) -> Iterator[Identifier]:
    """From the field that the source's profile names, in PID or in a segment that follows it for the same patient."""
    place = _PLACE.fullmatch(context.origin.source.identity_field)
    if not place or place[1] + place[2] in ("PID3", "PID19"):
        return
    for at in range(index, len(context.message.segments)):
        segment = context.message.segments[at]
        if at > index and segment.name in _NO_LONGER_THE_PATIENT:
            return
        if segment.name == place[1]:
            context.ledger.mapped(at)
            yield from _resident(context.first(segment, int(place[2]), int(place[3] or 1)), at, int(place[2]), context)


def _of_repetition(raw: str, index: int, context: Context) -> Iterator[Identifier]:
    """What a CX says: the identifier, and the resident number where one serves as the other."""
    delimiters = context.message.delimiters
    parts = [*delimiters.split(raw, delimiters.component), *[""] * 5]
    value, kind = unicodedata.normalize("NFKC", context.text(parts[0])).strip(), context.text(parts[4]).upper()
    if value.upper() in _PLACEHOLDERS or not value.strip("0"):
        return
    if len(value) > LONGEST_TOKEN:
        context.ledger.flagged(index, 3, "identifier too long to be one, left out")
        return
    resident = resident_number(value)
    if kind in _CARD_TYPES:
        yield Identifier(HEALTH_CARD, value)
        return
    if resident:
        yield Identifier(RESIDENT_ID, resident.number)
        if kind in _RESIDENT_TYPES:
            return
    elif kind in _RESIDENT_TYPES and len(value) in (15, 18):
        context.ledger.flagged(index, 3, "identity number fails its check digit, kept as an identifier of the source")
    if system := _system(parts[3], value, index, context):
        yield Identifier(system, value)


def _system(raw: str, value: str, index: int, context: Context) -> str:
    """The identifier system that CX.4 names: as the source's profile knows it, else the authority as it is written."""
    authority = _authority(raw, context)
    known = dict(context.origin.source.authorities).get(authority, authority)
    if known == RESIDENT_ID and not resident_number(value):
        context.ledger.flagged(index, 3, "not a resident identity number, left out")
        return ""
    if known.startswith("urn:"):
        # The resident number has been told from the value itself.
        return known if known != RESIDENT_ID else ""
    return authority_system(known)


def _authority(raw: str, context: Context) -> str:
    """CX.4: the short name, else the universal id, else the authority that answers for the source."""
    parts = context.subcomponents(raw)
    named = parts[0] or (parts[1] if len(parts) > 1 else "")
    return named[:LONGEST_TOKEN] or context.origin.source.authority
