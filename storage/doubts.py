"""Identity questions that wait for a person."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, and_, or_, select, union

from schemas.disclosure import Disclosure
from schemas.faults import NotFound
from schemas.patient import DoubtState, IdentityDoubt

from . import tables as t

_one = t.patient.alias("one")
_other = t.patient.alias("other")


def add(tx: Connection, patient_id: int, other_patient_id: int, reason: str, now: dt.datetime) -> None:
    """Opens the question whether two patients are one person, unless it was asked of these persons before.

    One that was answered with `yes`, and arises again, is open again.
    """
    if _asked(tx, patient_id, other_patient_id):
        return
    same = and_(t.doubt.c.patient_id == patient_id, t.doubt.c.other_patient_id == other_patient_id)
    again = t.doubt.update().where(same, t.doubt.c.reason == reason)
    if tx.execute(again.values(state=DoubtState.OPEN.value, found_at=now, decided_by="", decided_at=None)).rowcount:
        return
    values = {
        "patient_id": patient_id,
        "other_patient_id": other_patient_id,
        "reason": reason,
        "state": DoubtState.OPEN.value,
        "found_at": now,
    }
    tx.execute(t.doubt.insert(), values)


def _asked(tx: Connection, patient_id: int, other_patient_id: int) -> bool:
    """Whether the question is open, or was answered with `no`, between any two records of the same two persons."""
    persons = [
        select(t.patient.c.person_id).where(t.patient.c.id == patient).scalar_subquery()
        for patient in (patient_id, other_patient_id)
    ]
    either_way = or_(
        and_(_one.c.person_id == persons[0], _other.c.person_id == persons[1]),
        and_(_one.c.person_id == persons[1], _other.c.person_id == persons[0]),
    )
    states = (DoubtState.OPEN.value, DoubtState.KEPT_APART.value)
    query = _query().where(either_way, t.doubt.c.state.in_(states)).limit(1)
    return tx.execute(query).first() is not None


def _query() -> Any:
    return (
        select(t.doubt, _one.c.person_id.label("person"), _other.c.person_id.label("other_person"))
        .join(_one, _one.c.id == t.doubt.c.patient_id)
        .join(_other, _other.c.id == t.doubt.c.other_patient_id)
    )


def _record(row: Any) -> IdentityDoubt:
    return IdentityDoubt(
        id=row.id,
        patient_id=row.person,
        other_patient_id=row.other_person,
        reason=row.reason,
        state=DoubtState(row.state),
        found_at=row.found_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )


def records(tx: Connection, disclosure: Disclosure, state: DoubtState) -> tuple[IdentityDoubt, ...]:
    """The questions in that state, oldest first; patients are given as the persons that they belong to now."""
    query = _query().where(t.doubt.c.state == state.value).order_by(t.doubt.c.id).limit(500)
    return tuple(_record(row) for row in tx.execute(query))


def known_members(tx: Connection, doubt_id: int) -> tuple[int, int, DoubtState]:
    """The two patients (rows, not persons) of a question, and its state."""
    row = tx.execute(select(t.doubt).where(t.doubt.c.id == doubt_id)).first()
    if row is None:
        raise NotFound("no such identity question", where="doubt")
    return row.patient_id, row.other_patient_id, DoubtState(row.state)


def known_linked(tx: Connection, patient_ids: Iterable[int]) -> list[tuple[int, int]]:
    """The pairs of patients among these whom a person's answer made one."""
    ids = list(patient_ids)
    column = t.doubt.c
    query = select(column.patient_id, column.other_patient_id).where(
        column.patient_id.in_(ids), column.other_patient_id.in_(ids), column.state == DoubtState.LINKED.value
    )
    return [(row.patient_id, row.other_patient_id) for row in tx.execute(query)]


def known_apart(tx: Connection, patient_id: int) -> tuple[int, ...]:
    """The patients of whom a person has said that they are somebody else than this one."""
    column = t.doubt.c
    kept = column.state == DoubtState.KEPT_APART.value
    one = select(column.other_patient_id).where(column.patient_id == patient_id, kept)
    other = select(column.patient_id).where(column.other_patient_id == patient_id, kept)
    return tuple(each for each in tx.scalars(union(one, other)) if each != patient_id)


def settle(tx: Connection, doubt_id: int, state: DoubtState, decided_by: str, now: dt.datetime | None) -> None:
    """Writes the answer to a question; OPEN asks it again."""
    values = {"state": state.value, "decided_by": decided_by, "decided_at": now}
    tx.execute(t.doubt.update().where(t.doubt.c.id == doubt_id).values(values))
