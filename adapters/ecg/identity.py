"""Who a recording belongs to: what the file says, what the person who uploads it says, and whether both agree."""

import datetime as dt
import re
from dataclasses import dataclass

from schemas.delivery import Channel, Origin
from schemas.faults import IdentityConflict, InvalidPayload
from schemas.identifiers import RESIDENT_ID, UNIDENTIFIED, Identifier, authority_system, resident_number
from schemas.patient import Patient, PersonName, Sex, normal_name

_SEXES = {"M": Sex.MALE, "F": Sex.FEMALE, "MALE": Sex.MALE, "FEMALE": Sex.FEMALE, "男": Sex.MALE, "女": Sex.FEMALE}
# Doors at which nobody stands who could be asked.
_FROM_CARTS = frozenset({Channel.C_STORE, Channel.STOW_RS, Channel.WATCH})
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


def full_name(family: str, given: str = "") -> str:
    """A name as people write it: Chinese without a space between its parts, others with one."""
    parts = " ".join(f"{family} {given}".replace("^", " ").split())
    return parts.replace(" ", "") if _HAN.search(parts) else parts


@dataclass(frozen=True, slots=True)
class Told:
    """What a file says of its patient; whatever it does not say is empty. where: of the identifier in the file."""

    number: str = ""
    name: str = ""
    birth_date: dt.date | None = None
    sex: str = ""
    where: str = ""


def patient(told: Told, origin: Origin) -> Patient:
    """The patient of a file from `origin`, known by the source's authority.

    A recording that a cart sends without any identifier is taken as nobody's yet: an emergency is read before anybody
    knows who it is. Raises InvalidPayload where a person who could say whose it is has not, IdentityConflict where the
    file and the upload contradict each other.
    """
    hint = origin.hint.patient if origin.hint else None
    identifiers = _identifiers(told.number, origin)
    if not identifiers and hint is None:
        identifiers = nobody(origin, told.where)
    sex = _SEXES.get(told.sex.upper(), Sex.UNKNOWN)
    found = Patient(identifiers, PersonName(told.name), told.birth_date, sex)
    if hint is None:
        return found
    if conflict := contradiction(found, hint):
        raise IdentityConflict(f"the upload names another {conflict} than the file", where=told.where)
    return _united(found, hint)


def nobody(origin: Origin, where: str) -> tuple[Identifier]:
    """Stands for whoever it is; ingest gives it a value of its own. Raises InvalidPayload beside a person."""
    if origin.channel not in _FROM_CARTS:
        raise InvalidPayload("patient identifier missing", where=where)
    return (Identifier(UNIDENTIFIED, ""),)


def _identifiers(number: str, origin: Origin) -> tuple[Identifier, ...]:
    if not number:
        return ()
    own = Identifier(authority_system(origin.source.authority), number)
    resident = resident_number(number)
    return (own, Identifier(RESIDENT_ID, resident.number)) if resident else (own,)


def contradiction(file: Patient, hint: Patient) -> str:
    """What both say and say differently; empty where they agree."""
    systems = {identifier.system for identifier in file.identifiers} & {i.system for i in hint.identifiers}
    for system in systems:
        if {i.value for i in file.identifiers if i.system == system}.isdisjoint(
            i.value for i in hint.identifiers if i.system == system
        ):
            return "identifier"
    if file.birth_date and hint.birth_date and file.birth_date != hint.birth_date:
        return "birth date"
    decided = (Sex.MALE, Sex.FEMALE)
    if file.sex in decided and hint.sex in decided and file.sex != hint.sex:
        return "sex"
    return "" if _names_agree(file.name, hint.name) else "name"


def _names_agree(one: PersonName, other: PersonName) -> bool:
    # A cart without a Chinese keyboard holds pinyin: 王芳 and WANG FANG cannot be compared letter by letter.
    if not one.text or not other.text or bool(_HAN.search(one.text)) != bool(_HAN.search(other.text)):
        return True
    return normal_name(one.text) in {normal_name(other.text), normal_name(other.latin)}


def _united(file: Patient, hint: Patient) -> Patient:
    known = {identifier.system for identifier in file.identifiers}
    return Patient(
        identifiers=file.identifiers + tuple(i for i in hint.identifiers if i.system not in known),
        name=hint.name if hint.name.text else file.name,
        birth_date=file.birth_date or hint.birth_date,
        sex=file.sex if file.sex is not Sex.UNKNOWN else hint.sex,
    )
