"""Who a patient is: the safe minimum. What is doubtful stays apart and waits for a person.

A patient is known by (assigning authority, identifier). A valid resident number links patients of different
authorities only when birth date, sex and name agree as well, and only as long as they do. Links are kept as history
and can be undone.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection

from schemas.disclosure import Disclosure
from schemas.faults import Conflict, IdentityConflict
from schemas.patient import DoubtState, MergeState, Patient
from storage import doubts, merges, patients
from storage.patients import Known

from .likeness import completed, contradiction, contradicts, corrected, names_differ, resident, unsure
from .names import search_keys
from .persons import describe, move, part, take_apart

_UNDONE = "merge-undone-before"
_BY_NUMBER = "resident-number"
_BY_ANSWER = "doubt-"


def _who(patient: Patient) -> tuple[object, ...]:
    """All that a link rests on."""
    return patient.name, patient.birth_date, patient.sex, resident(patient)


def _is_another(known: Patient, told: Patient) -> bool:
    """Whether a correction looks like another person: more than a name written wrongly, or a date mistyped."""
    return names_differ(known.name, told.name) and bool(contradiction(replace(known, name=told.name), told))


def recognise(tx: Connection, said: Patient, *, update: bool, now: dt.datetime) -> int:
    """The patient row that a source's description belongs to; made, completed, linked or doubted as needed.

    update: the source says so in order to correct (ADT), so it replaces what the source said before.
    Raises IdentityConflict where a description that came beside a result contradicts the known patient.
    """
    known = patients.known_by_key(tx, said.key)
    if known is None:
        return _add(tx, replace(said, deleted=()), now)
    differs = contradiction(known.patient, said) if update else contradicts(known.patient, said)
    if differs and not update:
        if any(not contradicts(patients.known_by_id(tx, each).patient, said) for each in merged_with(tx, known.id)):
            return known.id  # a result on its way under the name or the number that was merged
        raise IdentityConflict(
            f"the patient known under this identifier is described otherwise ({differs})", where="patient identifier"
        )
    told = _told(known.patient, said, update=update)
    if told != known.patient:
        patients.put_patient(tx, known.id, told, _keys(told))
        if differs and _is_another(known.patient, told):
            _ask(tx, known.id, {0: "described-as-another"}, now)
        anew = Known(known.id, known.person_id, told)
        _link(tx, anew if _who(told) == _who(known.patient) else _reconsider(tx, anew, now), now)
    return known.id


def _told(known: Patient, said: Patient, *, update: bool) -> Patient:
    if not update:
        return completed(known, said)
    # Of somebody else under the same number nothing that was known can stay.
    return replace(said, deleted=()) if _is_another(known, said) else corrected(known, said)


def _keys(patient: Patient) -> Iterable[str]:
    # Whoever is looked for must not be found in a recording that nobody has identified.
    return search_keys(patient.name) if patient.identified else ()


def merged_with(tx: Connection, patient_id: int) -> set[int]:
    """The patients whom their institution calls the same as this one, in merges that hold."""
    held = [each for each in merges.known_of(tx, [patient_id]) if each.state is MergeState.MERGED]
    return {each for merge in held for each in (merge.prior_id, merge.surviving_id)} - {patient_id}


def same_person(tx: Connection, one: int, other: int) -> bool:
    """Whether two patient rows belong to one person, as far as is known now."""
    return one == other or patients.known_by_id(tx, one).person_id == patients.known_by_id(tx, other).person_id


def _add(tx: Connection, said: Patient, now: dt.datetime) -> int:
    target, questions = _judge(tx, said)
    keys = _keys(said)
    if target is None:
        patient_id = patients.add_patient(tx, patients.add_person(tx, said, now), said, keys)
    else:
        patient_id = patients.add_patient(tx, target, said, keys)
        patients.add_link(tx, patient_id, None, target, reason=_BY_NUMBER, decided_by="", now=now)
        describe(tx, target, now)
    _ask(tx, patient_id, questions, now)
    return patient_id


def _judge(tx: Connection, said: Patient, known: Known | None = None) -> tuple[int | None, dict[int, str]]:
    """The person whom the same resident number names, where everything agrees, and the questions that it raises.

    The questions: why not, by the patient row that carries the same number; under 0 what contradicts the number itself.
    """
    number = resident(said)
    if number is None:
        return None, {}
    doubtful = unsure(said, number)
    own = known.person_id if known else None
    others = [other for other in patients.known_by_identifier(tx, number) if other.person_id != own]
    kept, undone = _parted(tx, known.id, others) if known else (set(), set())
    others = [other for other in others if other.person_id not in kept]
    if not others:
        return None, {0: doubtful} if doubtful.startswith("number-contradicts") else {}
    questions = {
        other.id: doubtful or unsure(other.patient, number) or contradicts(other.patient, said) for other in others
    }
    # A person has undone this once: the number alone does not do it again.
    questions |= {other.id: _UNDONE for other in others if other.person_id in undone}
    agreeing = {other.person_id for other in others if not questions[other.id]}
    if len(agreeing) > 1:
        return None, {other_id: reason or "several-agree" for other_id, reason in questions.items()}
    return next(iter(agreeing), None), {other_id: reason for other_id, reason in questions.items() if reason}


def _parted(tx: Connection, patient_id: int, others: list[Known]) -> tuple[set[int], set[int]]:
    """The persons among these whom somebody has told apart from the patient: by an answer, and by undoing a merge."""
    answered = set(doubts.known_apart(tx, patient_id))
    merged = [each for each in merges.known_of(tx, [patient_id]) if each.state is MergeState.UNDONE]
    undone = {each for merge in merged for each in (merge.prior_id, merge.surviving_id)}
    return {o.person_id for o in others if o.id in answered}, {o.person_id for o in others if o.id in undone}


def _ask(tx: Connection, patient_id: int, questions: dict[int, str], now: dt.datetime) -> None:
    for other_id, reason in questions.items():
        doubts.add(tx, patient_id, other_id or patient_id, reason, now)


def _reconsider(tx: Connection, patient: Known, now: dt.datetime) -> Known:
    """Holds what is said now against the other members of the person: whoever no longer agrees is doubted.

    A link by number is undone; one that a person or the patient's institution made stays until a person undoes it.
    """
    others = [each for each in patients.known_of_person(tx, patient.person_id) if each.id != patient.id]
    reasons = {other.id: contradicts(other.patient, patient.patient) for other in others}
    if not any(reasons.values()):
        return patient
    merged = merged_with(tx, patient.id)
    # Another name is why two numbers were given out, and known since they were merged.
    questions = {
        other_id: reason
        for other_id, reason in reasons.items()
        if reason and not (other_id in merged and reason == "name-differs")
    }
    if (
        questions
        and not merged
        and not patients.known_links(tx, patient.person_id, [patient.id, *questions], _BY_ANSWER)
    ):
        part(tx, patient, reason="no-longer-agrees", decided_by="", now=now)
    _ask(tx, patient.id, questions, now)
    return patients.known_by_id(tx, patient.id)


def _link(tx: Connection, patient: Known, now: dt.datetime) -> None:
    """Links a known patient of whom more, or other, is said now; a person is described anew either way."""
    target, questions = _judge(tx, patient.patient, patient)
    if target is None:
        describe(tx, patient.person_id, now)
    else:
        move(tx, _tree(tx, patient), target, reason=_BY_NUMBER, decided_by="", now=now)
    _ask(tx, patient.id, questions, now)


def _tree(tx: Connection, patient: Known) -> list[Known]:
    """The patient with all who were merged with them, directly or through others: they go together."""
    found, waiting = {patient.id: patient}, [patient.id]
    while waiting:
        for each in merged_with(tx, waiting.pop()) - found.keys():
            found[each] = patients.known_by_id(tx, each)
            waiting.append(each)
    return list(found.values())


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
        move(tx, members, target, reason=_by_answer(doubt_id), decided_by=decided_by, now=now)
    if not link and one != other and doubted.person_id == target:
        _unmerge(tx, one, decided_by, now)
        part(tx, doubted, reason="link-undone", decided_by=decided_by, now=now)
    doubts.settle(tx, doubt_id, DoubtState.LINKED if link else DoubtState.KEPT_APART, decided_by, now)


def reopen(tx: Connection, disclosure: Disclosure, doubt_id: int, *, now: dt.datetime) -> None:
    """Takes an answer back: whoever was linked by it is a person of their own again, and the question is open."""
    one, other, state = doubts.known_members(tx, doubt_id)
    doubts.settle(tx, doubt_id, DoubtState.OPEN, "", None)
    if state is DoubtState.LINKED and one != other:
        take_apart(tx, one, other, home=None, decided_by=disclosure.principal.account, now=now)


def _unmerge(tx: Connection, patient_id: int, decided_by: str, now: dt.datetime) -> None:
    """Whoever is found to be a person of their own was merged with nobody."""
    held = [each.id for each in merges.known_of(tx, [patient_id]) if each.state is MergeState.MERGED]
    if held:
        merges.settle_undone(tx, held, undone_by=decided_by, reason="kept-apart", now=now)


def _by_answer(doubt_id: int) -> str:
    return f"{_BY_ANSWER}{doubt_id}"
