"""Patients as their sources know them, and the persons that linked patients are."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, exists, func, or_, select

from schemas.disclosure import Disclosure
from schemas.documents import from_json, to_json
from schemas.faults import NotFound
from schemas.identifiers import UNIDENTIFIED, Identifier
from schemas.paging import Page
from schemas.patient import DoubtState, Patient, PatientCriteria, PatientRecord, normal_name

from . import tables as t
from .statement import Statement

_LAST = "\U0010ffff"
_BY_KEY = Statement(
    select(t.patient).where(t.patient.c.system == bindparam("system"), t.patient.c.value == bindparam("value"))
)
_BY_ID = Statement(select(t.patient).where(t.patient.c.id == bindparam("id")))
_BY_IDENTIFIER = Statement(
    select(t.patient)
    .join(t.patient_identifier)
    .where(t.patient_identifier.c.value == bindparam("value"), t.patient_identifier.c.system == bindparam("system"))
    .order_by(t.patient.c.id)
)
_OF_PERSON = Statement(
    select(t.patient).where(t.patient.c.person_id == bindparam("person_id")).order_by(t.patient.c.id)
)
_ADD_PERSON = Statement(t.person.insert().returning(t.person.c.id))
_ADD_VERSION = Statement(t.person_version.insert())
_ADD_PATIENT = Statement(t.patient.insert().returning(t.patient.c.id))
_ADD_IDENTIFIER = Statement(t.patient_identifier.insert())
_ADD_SEARCH_KEY = Statement(t.patient_search_key.insert())


@dataclass(frozen=True, slots=True)
class Known:
    """A patient row as the write path compares and links it."""

    id: int
    person_id: int
    patient: Patient


def _known(rows: Iterable[Any]) -> list[Known]:
    return [Known(row.id, row.person_id, from_json(Patient, row.document)) for row in rows]


def known_by_key(tx: Connection, key: Identifier) -> Known | None:
    """The patient whom this authority knows under this identifier."""
    return next(iter(_known(_BY_KEY.all(tx, system=key.system, value=key.value))), None)


def known_by_identifier(tx: Connection, identifier: Identifier) -> list[Known]:
    """Every patient who carries this identifier, whoever knows them, oldest row first."""
    return _known(_BY_IDENTIFIER.all(tx, system=identifier.system, value=identifier.value))


def known_of_person(tx: Connection, person_id: int) -> list[Known]:
    """Every patient linked to the person, oldest row first."""
    return _known(_OF_PERSON.all(tx, person_id=person_id))


def known_links(tx: Connection, person_id: int, patient_ids: Iterable[int], reason: str) -> bool:
    """Whether any of these patients was made a member of the person for a reason that begins so."""
    link = t.link.c
    wanted = (link.patient_id.in_(list(patient_ids)), link.to_person_id == person_id)
    return bool(tx.scalar(select(exists(select(link.id).where(*wanted, link.reason.startswith(reason))))))


def known_by_id(tx: Connection, patient_id: int) -> Known:
    """The patient of a row that exists."""
    return _known(_BY_ID.all(tx, id=patient_id))[0]


def known_elsewhere(tx: Connection, patient_id: int, organization_id: int) -> bool:
    """Whether an institution other than this one has a report or an order of the patient row."""
    return any(
        tx.scalar(select(exists().where(each.c.patient_id == patient_id, each.c.organization_id != organization_id)))
        for each in (t.report, t.service_order)
    )


def add_person(tx: Connection, described: Patient, now: dt.datetime) -> int:
    """A person new to us, version 1 as described. Returns the id."""
    person_id = int(_ADD_PERSON.scalar(tx, version=1))
    _add_version(tx, person_id, 1, described, now)
    return person_id


def add_patient(tx: Connection, person_id: int, patient: Patient, search_keys: Iterable[str]) -> int:
    """A patient new to us, as a member of the person."""
    values = {
        "person_id": person_id,
        "system": patient.key.system,
        "value": patient.key.value,
        "birth_date": patient.birth_date,
        "document": to_json(patient),
    }
    patient_id = int(_ADD_PATIENT.scalar(tx, **values))
    _put_keys(tx, patient_id, patient, search_keys)
    return patient_id


def put_patient(tx: Connection, patient_id: int, patient: Patient, search_keys: Iterable[str]) -> None:
    """Replaces what the source last said of the patient."""
    values = {"birth_date": patient.birth_date, "document": to_json(patient)}
    tx.execute(t.patient.update().where(t.patient.c.id == patient_id).values(values))
    tx.execute(t.patient_identifier.delete().where(t.patient_identifier.c.patient_id == patient_id))
    tx.execute(t.patient_search_key.delete().where(t.patient_search_key.c.patient_id == patient_id))
    _put_keys(tx, patient_id, patient, search_keys)


def _put_keys(tx: Connection, patient_id: int, patient: Patient, search_keys: Iterable[str]) -> None:
    identifiers = dict.fromkeys(patient.identifiers)
    _ADD_IDENTIFIER.many(tx, [{"patient_id": patient_id, "system": i.system, "value": i.value} for i in identifiers])
    keys = [{"patient_id": patient_id, "search_key": key} for key in dict.fromkeys(search_keys) if key]
    _ADD_SEARCH_KEY.many(tx, keys)


def put_person(tx: Connection, person_id: int, described: Patient, now: dt.datetime) -> None:
    """Writes the next version of what is known of the person."""
    following = t.person.update().where(t.person.c.id == person_id).values(version=t.person.c.version + 1)
    version = int(tx.scalar(following.returning(t.person.c.version)) or 0)
    _add_version(tx, person_id, version, described, now)


def _add_version(tx: Connection, person_id: int, version: int, described: Patient, now: dt.datetime) -> None:
    _ADD_VERSION.run(tx, person_id=person_id, version=version, recorded_at=now, document=to_json(described))


def link_patient(
    tx: Connection, patient: Known, person_id: int, *, reason: str, decided_by: str, now: dt.datetime
) -> None:
    """Makes the patient a member of another person, and keeps how it was before."""
    tx.execute(t.patient.update().where(t.patient.c.id == patient.id).values(person_id=person_id))
    add_link(tx, patient.id, patient.person_id, person_id, reason=reason, decided_by=decided_by, now=now)


def add_link(
    tx: Connection,
    patient_id: int,
    from_person_id: int | None,
    to_person_id: int,
    *,
    reason: str,
    decided_by: str,
    now: dt.datetime,
) -> None:
    """Keeps why a patient belongs to a person; `from_person_id` is None where they belonged to nobody before."""
    values = {
        "patient_id": patient_id,
        "from_person_id": from_person_id,
        "to_person_id": to_person_id,
        "reason": reason,
        "decided_by": decided_by,
        "linked_at": now,
    }
    tx.execute(t.link.insert(), values)


def is_doubtful() -> Any:
    """SQL condition on the patient table: an identity question about any member of this person is open, or nobody has
    said who it is.
    """
    member = t.patient.alias("member")
    open_question = exists(
        select(t.doubt.c.id)
        .join(member, or_(member.c.id == t.doubt.c.patient_id, member.c.id == t.doubt.c.other_patient_id))
        .where(member.c.person_id == t.patient.c.person_id, t.doubt.c.state == DoubtState.OPEN.value)
    )
    return or_(t.patient.c.system == UNIDENTIFIED, open_question)


def visible(disclosure: Disclosure) -> list[Any]:
    """SQL conditions on the patient table: an asker bound to one institution sees whom it has issued a report for."""
    if not disclosure.only_organization:
        return []
    return [
        exists(
            select(t.report.c.id)
            .join(t.organization)
            .where(t.report.c.patient_id == t.patient.c.id, t.organization.c.code == disclosure.only_organization)
        )
    ]


def _matches(criteria: PatientCriteria) -> list[Any]:
    wanted: list[Any] = []
    if criteria.ids:
        wanted.append(t.patient.c.person_id.in_(criteria.ids))
    if criteria.identifier:
        wanted.append(_has_identifier(criteria.identifier))
    if criteria.birth_date:
        wanted.append(t.patient.c.birth_date == criteria.birth_date)
    if name := normal_name(criteria.name):
        wanted.append(_has_key(name))
    if criteria.text.strip():
        typed = criteria.text.strip()
        wanted.append(or_(_has_key(normal_name(typed)), _has_identifier(Identifier("", typed.upper()))))
    return wanted


def _has_identifier(identifier: Identifier) -> Any:
    column = t.patient_identifier.c
    same = [column.patient_id == t.patient.c.id, column.value.in_({identifier.value, identifier.value.upper()})]
    if identifier.system:
        same.append(column.system == identifier.system)
    return exists(select(column.patient_id).where(and_(*same)))


def _has_key(prefix: str) -> Any:
    column = t.patient_search_key.c
    reach = [column.search_key >= prefix, column.search_key < prefix + _LAST]
    return t.patient.c.id.in_(select(column.patient_id).where(*reach))


def search(tx: Connection, disclosure: Disclosure, criteria: PatientCriteria) -> Page[PatientRecord]:
    """Persons who have a member that matches, by id; none whom nobody has identified."""
    wanted = [*_matches(criteria), *visible(disclosure), t.patient.c.system != UNIDENTIFIED]
    people = select(t.patient.c.person_id).where(*wanted).distinct()
    total = tx.scalar(select(func.count()).select_from(people.subquery())) or 0
    page = people.order_by(t.patient.c.person_id).limit(criteria.limit).offset(criteria.offset)
    ids = list(tx.scalars(page))
    found = {row.person_id: row for row in tx.execute(_current(ids))}
    return Page(tuple(_record(found[i]) for i in ids if i in found), total, criteria.offset)


def _versions() -> Select[Any]:
    doubtful = exists(
        select(t.patient.c.id).where(t.patient.c.person_id == t.person_version.c.person_id, is_doubtful())
    )
    return select(t.person_version, doubtful.label("doubtful"))


def _current(ids: list[int]) -> Select[Any]:
    return (
        _versions()
        .join(
            t.person,
            and_(t.person.c.id == t.person_version.c.person_id, t.person.c.version == t.person_version.c.version),
        )
        .where(t.person_version.c.person_id.in_(ids))
    )


def _record(row: Any) -> PatientRecord:
    return PatientRecord(
        row.person_id, row.version, from_json(Patient, row.document), row.recorded_at, bool(row.doubtful)
    )


def versions(tx: Connection, disclosure: Disclosure, person_id: int) -> tuple[PatientRecord, ...]:
    """Every version of a person, newest first. Raises NotFound, also where the asker may not know of them."""
    seen = tx.scalar(select(t.patient.c.id).where(t.patient.c.person_id == person_id, *visible(disclosure)).limit(1))
    query = _versions().where(t.person_version.c.person_id == person_id).order_by(t.person_version.c.version.desc())
    if seen is None:
        raise NotFound("no such patient", where="patient")
    return tuple(_record(row) for row in tx.execute(query))
