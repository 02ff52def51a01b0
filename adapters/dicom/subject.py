"""Whom a data set is about. Source: DICOM PS3.3 C.2.2, C.2.3; PS3.5 6.2.1 (person names)."""

from collections.abc import Iterator

from adapters.ecg.clock import date
from adapters.ecg.identity import nobody
from schemas.delivery import Origin
from schemas.faults import InvalidPayload
from schemas.identifiers import RESIDENT_ID, Identifier, authority_system, resident_number
from schemas.patient import Patient, PersonName, Sex

from .header import Header

PATIENT_NAME, PATIENT_ID, ISSUER = 0x00100010, 0x00100020, 0x00100021
BIRTH_DATE, SEX = 0x00100030, 0x00100040
OTHER_IDS, OTHER_IDS_SEQUENCE = 0x00101000, 0x00101002
# Letters go up to two; DICOM allows O for other.
_SEXES = {"M": Sex.MALE, "F": Sex.FEMALE, "O": Sex.OTHER}


def patient(header: Header, origin: Origin, *, recording: bool = False) -> Patient:
    """The patient, known by (issuer, Patient ID); the source's authority stands in where no issuer is told.

    recording: of an ECG, which a cart may send before anybody knows whose it is. Raises InvalidPayload without a
    Patient ID otherwise: a name is not an identity, and a wrong patient is worse than none.
    """
    number, authority = header.text(PATIENT_ID), origin.source.authority
    if number:
        key = Identifier(authority_system(header.text(ISSUER) or authority), number)
    elif recording:
        (key,) = nobody(origin, "(0010,0020)")
    else:
        raise InvalidPayload("a Patient ID is missing, so the images can be given to nobody", where="(0010,0020)")
    identifiers = dict.fromkeys([key, *_resident(number), *(_others(header, authority) if number else ())])
    return Patient(
        identifiers=tuple(identifiers),
        name=person_name(header.text(PATIENT_NAME)),
        birth_date=date(header.text(BIRTH_DATE)),
        sex=_SEXES.get(header.text(SEX).upper(), Sex.UNKNOWN),
    )


def person_name(value: str) -> PersonName:
    """A PN as people write it: ideographic without separators, alphabetic with a space between its components."""
    alphabetic, ideographic, *_ = [*value.split("="), "", ""]
    if ideographic.strip("^ ") and not ideographic.isascii():
        return PersonName(_joined(ideographic, ""), _joined(alphabetic, " "))
    if not alphabetic.isascii() and any("\u3400" <= character <= "\u9fff" for character in alphabetic):
        # Most Chinese devices write the name where the alphabetic form belongs.
        return PersonName(_joined(alphabetic, ""))
    latin = _joined(alphabetic, " ")
    return PersonName(latin, latin)


def _joined(group: str, separator: str) -> str:
    parts = (" ".join(part.split()) for part in group.split("^"))
    return separator.join(part for part in parts if part)


def _resident(number: str) -> Iterator[Identifier]:
    found = resident_number(number)
    if found:
        yield Identifier(RESIDENT_ID, found.number)


def _others(header: Header, authority: str) -> Iterator[Identifier]:
    for item in header.items(OTHER_IDS_SEQUENCE):
        number = item.text(PATIENT_ID)
        if number:
            resident = list(_resident(number))
            yield from resident or [Identifier(authority_system(item.text(ISSUER) or authority), number)]
    # The retired list names no issuer at all; only a number that proves itself is taken from it.
    for number in header.texts(OTHER_IDS):
        yield from _resident(number)
