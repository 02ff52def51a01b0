"""Writes HL7 v2 messages as the district's community laboratories do. The hub's own reader is not asked: a sender
and a receiver that share their code agree even where both are wrong.
"""

import datetime as dt
from dataclasses import dataclass

from schemas.patient import Sex

from .district import CONCEALS_GB18030, DECLARES_GB18030
from .people import Person

ZONE = dt.timezone(dt.timedelta(hours=8), "CST")
_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\n": "\\.br\\"})
_SEXES = {Sex.MALE: "M", Sex.FEMALE: "F", Sex.OTHER: "O", Sex.UNKNOWN: "U"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one sender writes. charset: a Python codec. declared: MSH-18. zoned: times carry an offset."""

    charset: str = "utf-8"
    declared: str = "UNICODE UTF-8"
    zoned: bool = True


_DIALECTS = {
    DECLARES_GB18030: Dialect("gb18030", "GB 18030-2000", zoned=False),
    CONCEALS_GB18030: Dialect("gb18030", "", zoned=False),
}


def dialect_of(sender: str) -> Dialect:
    """Most write UTF-8 and say so."""
    return _DIALECTS.get(sender, Dialect())


def text(value: str) -> str:
    """A value with the delimiters in it escaped. Source: HL7 v2.5.1, 2.7.1."""
    return value.translate(_ESCAPES)


def segment(name: str, **fields: str) -> str:
    """A segment from its fields by number: `segment("PID", f3=…, f5=…)`; those between are empty."""
    numbered = {int(key[1:]): value for key, value in fields.items()}
    return "|".join([name, *(numbered.get(number, "") for number in range(1, max(numbered) + 1))])


def stamp(when: dt.datetime, dialect: Dialect) -> str:
    """DTM to the second, in the district's own time."""
    return f"{when.astimezone(ZONE):%Y%m%d%H%M%S}{'+0800' if dialect.zoned else ''}"


def message(sender: str, kind: str, control_id: str, sent_at: dt.datetime, body: list[str]) -> bytes:
    """The bytes of a whole message. kind: MSH-9, for example `ORU^R01^ORU_R01`."""
    dialect = dialect_of(sender)
    header = f"MSH|^~\\&|LIS|{sender}|DXHUB|TINGLAN|{stamp(sent_at, dialect)}||{kind}|{control_id}|P|2.5.1||||||"
    segments = [header + dialect.declared, *body]
    return "".join(line + "\r" for line in segments).encode(dialect.charset)


def patient_segment(person: Person, institution: str) -> str:
    """PID: the sender's own number first, then the card, then the identity number, as far as known."""
    identifiers = [f"{person.record_number(institution)}^^^{institution}^MR"]
    if person.resident_number:
        identifiers.append(f"{person.resident_number}^^^&2.16.156.10011.1.3&ISO^NI")
    if person.card_number:
        identifiers.append(f"{person.card_number}^^^&2.16.156.10011.1.19&ISO^HC")
    return segment(
        "PID",
        f1="1",
        f3="~".join(identifiers),
        f5=f"{text(person.surname)}^{text(person.given)}" if person.surname else text(person.given),
        f7=f"{person.birth_date:%Y%m%d}",
        f8=_SEXES[person.sex],
    )


def registration(person: Person, institution: str, control_id: str, when: dt.datetime, trigger: str = "A04") -> bytes:
    """ADT^A04, a patient registers; with another trigger (A08) what was told before is replaced."""
    dialect = dialect_of(institution)
    body = [
        segment("EVN", f1=trigger, f2=stamp(when, dialect)),
        patient_segment(person, institution),
        segment("PV1", f1="1", f2="O", f3=f"{text('全科门诊')}^^^{institution}", f44=stamp(when, dialect)),
    ]
    return message(institution, f"ADT^{trigger}^ADT_A01", control_id, when, body)
