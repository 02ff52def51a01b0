"""Who a patient is: the safe minimum. What is doubtful stays apart and waits for a person.

A patient is known by (assigning authority, identifier). A valid resident number links patients of different
authorities only when birth date, sex and name agree as well, and only as long as they do. Links are kept as history
and can be undone.
"""

import datetime as dt
from dataclasses import replace
from itertools import chain

from sqlalchemy import Connection

from schemas.disclosure import Disclosure
from schemas.faults import Conflict, IdentityConflict
from schemas.identifiers import RESIDENT_ID, Identifier, resident_number
from schemas.patient import DoubtState, Patient, PersonName, Sex, normal_name
from storage import doubts, patients
from storage.patients import Known

from .names import search_keys

_SEXES = {Sex.MALE, Sex.FEMALE}
_BY_NUMBER = "resident-number"
_BY_ANSWER = "doubt-"


def contradiction(known: Patient, said: Patient) -> str:
    """The first thing in which two descriptions of a patient exclude each other; empty where they agree.

    What only one of them says contradicts nothing.
    """
    if known.birth_date and said.birth_date and known.birth_date != said.birth_date:
        return "birth-date-differs"
    if {known.sex, said.sex} == _SEXES:
        return "sex-differs"
    if _names_differ(known.name, said.name):
        return "name-differs"
    return ""


def _names_differ(known: PersonName, said: PersonName) -> bool:
    """Whether no writing of the one equals any of the other, where both are written in the same script."""
    ours = {normal_name(known.text), normal_name(known.latin)} - {""}
    theirs = {normal_name(said.text), normal_name(said.latin)} - {""}
    same_script = {text.isascii() for text in ours} & {text.isascii() for text in theirs}
    return bool(same_script) and not ours & theirs


def _who(patient: Patient) -> tuple[object, ...]:
    """All that a link rests on."""
    return patient.name, patient.birth_date, patient.sex, _resident(patient)


def _is_another(known: Patient, told: Patient) -> bool:
    """Whether a correction looks like another person: more than a name written wrongly, or a date mistyped."""
    return _names_differ(known.name, told.name) and bool(contradiction(replace(known, name=told.name), told))


def _resident(patient: Patient) -> Identifier | None:
    return next((i for i in patient.identifiers if i.system == RESIDENT_ID and resident_number(i.value)), None)


def _unsure(patient: Patient, number: Identifier) -> str:
    """Why the resident number cannot be believed to be this patient's; empty where it can."""
    says = resident_number(number.value)
    if says is None or not patient.birth_date or patient.sex not in _SEXES:
        return "birth-date-or-sex-missing"
    if says.birth_date != patient.birth_date:
        return "number-contradicts-birth-date"
    if says.male != (patient.sex is Sex.MALE):
        return "number-contradicts-sex"
    return ""


def recognise(tx: Connection, said: Patient, *, update: bool, now: dt.datetime) -> int:
    """The patient row that a source's description belongs to; made, completed, linked or doubted as needed.

    update: the source says so in order to correct (ADT), so it replaces what the source said before.
    Raises IdentityConflict where a description that came beside a result contradicts the known patient.
    """
    known = patients.known_by_key(tx, said.key)
    if known is None:
        return _add(tx, said, now)
    differs = contradiction(known.patient, said)
    if differs and not update:
        raise IdentityConflict(
            f"the patient known under this identifier is described otherwise ({differs})", where="patient identifier"
        )
    told = said if update else _completed(known.patient, said)
    if told != known.patient:
        patients.put_patient(tx, known.id, told, search_keys(told.name))
        if differs and _is_another(known.patient, told):
            _ask(tx, known.id, {0: "described-as-another"}, now)
        anew = Known(known.id, known.person_id, told)
        _link(tx, anew if _who(told) == _who(known.patient) else _reconsider(tx, anew, now), now)
    return known.id


def same_person(tx: Connection, one: int, other: int) -> bool:
    """Whether two patient rows belong to one person, as far as is known now."""
    return one == other or patients.known_by_id(tx, one).person_id == patients.known_by_id(tx, other).person_id


def _add(tx: Connection, said: Patient, now: dt.datetime) -> int:
    target, questions = _judge(tx, said)
    keys = search_keys(said.name)
    if target is None:
        patient_id = patients.add_patient(tx, patients.add_person(tx, said, now), said, keys)
    else:
        patient_id = patients.add_patient(tx, target, said, keys)
        patients.add_link(tx, patient_id, None, target, reason=_BY_NUMBER, decided_by="", now=now)
        _describe(tx, target, now)
    _ask(tx, patient_id, questions, now)
    return patient_id


def _completed(known: Patient, said: Patient) -> Patient:
    """What is known, with the gaps filled from what is said now."""
    return Patient(
        identifiers=tuple(dict.fromkeys((*known.identifiers, *said.identifiers))),
        name=PersonName(known.name.text or said.name.text, known.name.latin or said.name.latin),
        birth_date=known.birth_date or said.birth_date,
        sex=known.sex if known.sex is not Sex.UNKNOWN else said.sex,
    )


def _judge(tx: Connection, said: Patient, known: Known | None = None) -> tuple[int | None, dict[int, str]]:
    """The person whom the same resident number names, where everything agrees, and the questions that it raises.

    The questions: why not, by the patient row that carries the same number; under 0 what contradicts the number itself.
    """
    number = _resident(said)
    if number is None:
        return None, {}
    unsure = _unsure(said, number)
    own = known.person_id if known else None
    others = [other for other in patients.known_by_identifier(tx, number) if other.person_id != own]
    if not others:
        return None, {0: unsure} if unsure.startswith("number-contradicts") else {}
    questions = {
        other.id: unsure or _unsure(other.patient, number) or contradiction(other.patient, said) for other in others
    }
    agreeing = {other.person_id for other in others if not questions[other.id]}
    if len(agreeing) > 1:
        return None, {other_id: reason or "several-agree" for other_id, reason in questions.items()}
    return next(iter(agreeing), None), {other_id: reason for other_id, reason in questions.items() if reason}


def _ask(tx: Connection, patient_id: int, questions: dict[int, str], now: dt.datetime) -> None:
    for other_id, reason in questions.items():
        doubts.add(tx, patient_id, other_id or patient_id, reason, now)


def _reconsider(tx: Connection, patient: Known, now: dt.datetime) -> Known:
    """Holds what is said now against the other members of the person: whoever no longer agrees is doubted.

    A link by number is undone; one that a person made stays until a person undoes it.
    """
    questions = {
        other.id: reason
        for other in patients.known_of_person(tx, patient.person_id)
        if other.id != patient.id and (reason := _against(other.patient, patient.patient))
    }
    if not questions:
        return patient
    if not patients.known_links(tx, patient.person_id, [patient.id, *questions], _BY_ANSWER):
        _part(tx, patient, reason="no-longer-agrees", decided_by="", now=now)
    _ask(tx, patient.id, questions, now)
    return patients.known_by_id(tx, patient.id)


def _against(known: Patient, said: Patient) -> str:
    ours, theirs = _resident(known), _resident(said)
    return contradiction(known, said) or ("number-differs" if ours and theirs and ours != theirs else "")


def _link(tx: Connection, patient: Known, now: dt.datetime) -> None:
    """Links a known patient of whom more, or other, is said now; a person is described anew either way."""
    target, questions = _judge(tx, patient.patient, patient)
    if target is not None:
        patients.link_patient(tx, patient, target, reason=_BY_NUMBER, decided_by="", now=now)
        _describe(tx, target, now)
    _describe(tx, patient.person_id, now)
    _ask(tx, patient.id, questions, now)


def _describe(tx: Connection, person_id: int, now: dt.datetime) -> None:
    """Writes what is now known of the person: the first member's description, the identifiers of all."""
    members = [member.patient for member in patients.known_of_person(tx, person_id)]
    if not members:
        return
    merged = members[0]
    for member in members[1:]:
        merged = _completed(merged, member)
    identifiers = tuple(dict.fromkeys(chain.from_iterable(member.identifiers for member in members)))
    patients.put_person(tx, person_id, replace(merged, identifiers=identifiers), now)


def decide(tx: Connection, disclosure: Disclosure, doubt_id: int, *, link: bool, now: dt.datetime) -> None:
    """A person's answer: one person, or two. Raises NotFound, Conflict where it was answered already."""
    one, other, state = doubts.known_members(tx, doubt_id)
    if state is not DoubtState.OPEN:
        raise Conflict("this identity question was answered already", where="doubt")
    decided_by = disclosure.principal.account
    doubted = patients.known_by_id(tx, one)
    target = patients.known_by_id(tx, other).person_id
    if link and doubted.person_id != target:
        members = patients.known_of_person(tx, doubted.person_id)
        _move(tx, members, target, reason=_by_answer(doubt_id), decided_by=decided_by, now=now)
    if not link and one != other and doubted.person_id == target:
        _part(tx, doubted, reason="link-undone", decided_by=decided_by, now=now)
    doubts.settle(tx, doubt_id, DoubtState.LINKED if link else DoubtState.KEPT_APART, decided_by, now)


def reopen(tx: Connection, disclosure: Disclosure, doubt_id: int, *, now: dt.datetime) -> None:
    """Takes an answer back: whoever was linked by it is a person of their own again, and the question is open."""
    _, _, state = doubts.known_members(tx, doubt_id)
    members = patients.known_by_link(tx, _by_answer(doubt_id)) if state is DoubtState.LINKED else []
    if members:
        alone = patients.add_person(tx, members[0].patient, now)
        _move(tx, members, alone, reason="link-undone", decided_by=disclosure.principal.account, now=now)
    doubts.settle(tx, doubt_id, DoubtState.OPEN, "", None)


def _by_answer(doubt_id: int) -> str:
    return f"{_BY_ANSWER}{doubt_id}"


def _part(tx: Connection, patient: Known, *, reason: str, decided_by: str, now: dt.datetime) -> None:
    """Makes the patient a person of their own."""
    alone = patients.add_person(tx, patient.patient, now)
    _move(tx, [patient], alone, reason=reason, decided_by=decided_by, now=now)


def _move(tx: Connection, members: list[Known], target: int, *, reason: str, decided_by: str, now: dt.datetime) -> None:
    """Makes the patients members of another person; both persons are described anew."""
    left = {member.person_id for member in members}
    for member in members:
        patients.link_patient(tx, member, target, reason=reason, decided_by=decided_by, now=now)
    for person_id in (target, *left):
        _describe(tx, person_id, now)
