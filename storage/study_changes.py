"""Whose a study is now, and whose it was before a person changed that. Rows are only added."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from schemas.disclosure import Disclosure
from schemas.documents import from_json, to_json
from schemas.patient import Patient
from schemas.study import Hidden, Study
from schemas.study_life import ChangeKind, StudyChange

from . import tables as t
from .reports import scope
from .statement import Statement


@dataclass(frozen=True, slots=True)
class _Sides:
    before: Patient
    after: Patient


@dataclass(frozen=True, slots=True)
class KnownState:
    """Whose a study is: `patient_id` is the patient row, not the person."""

    patient_id: int
    study: Study
    report_ids: tuple[int, ...]


def known_state(tx: Connection, study_id: int) -> KnownState | None:
    """The study with the reports of its images that belong to the same patient row."""
    row = tx.execute(select(t.study).where(t.study.c.id == study_id).with_for_update()).first()
    if row is None:
        return None
    about = (t.report.c.study_instance_uid == row.study_instance_uid) | (t.report.c.id == row.report_id)
    own = select(t.report.c.id).where(about, t.report.c.patient_id == row.patient_id).order_by(t.report.c.id)
    return KnownState(row.patient_id, from_json(Study, row.document), tuple(tx.scalars(own)))


def put_patient(tx: Connection, study_id: int, state: KnownState, patient_id: int, patient: Patient) -> None:
    """Makes a study and its reports that patient's, with their results. What was decided on them stays decided."""
    values = {
        "patient_id": patient_id,
        "patient_identifier": patient.key.value,
        "patient_name": f"{patient.name.text}\n{patient.name.latin}".casefold(),
        "document": to_json(replace(state.study, patient=patient)),
    }
    tx.execute(t.study.update().where(t.study.c.id == study_id).values(values))
    tx.execute(t.report.update().where(t.report.c.id.in_(state.report_ids)).values(patient_id=patient_id))
    tx.execute(
        t.observation.update().where(t.observation.c.report_id.in_(state.report_ids)).values(patient_id=patient_id)
    )


def add(
    tx: Connection,
    disclosure: Disclosure,
    study_id: int,
    kind: ChangeKind,
    *,
    before: tuple[int, Patient],
    after: tuple[int, Patient],
    reason: str,
    now: dt.datetime,
) -> None:
    """Keeps who changed what, when and why."""
    values = {
        "study_id": study_id,
        "from_patient_id": before[0],
        "to_patient_id": after[0],
        "kind": kind.value,
        "account": disclosure.principal.account,
        "organization": disclosure.principal.organization,
        "reason": reason,
        "changed_at": now,
        "document": to_json(_Sides(before[1], after[1])),
    }
    tx.execute(t.study_change.insert(), values)


_MOVE = Statement(
    select(t.study_change)
    .join(t.study, t.study.c.id == t.study_change.c.study_id)
    .where(t.study.c.study_instance_uid == bindparam("uid"))
    .order_by(t.study_change.c.id.desc())
    .limit(1)
)


def known_move(tx: Connection, study_instance_uid: str) -> StudyChange | None:
    """The move that holds for a study; None for one that is as it was sent, or is so again."""
    row = _MOVE.first(tx, uid=study_instance_uid)
    found = change(row) if row else None
    return found if found and found.kind is ChangeKind.MOVE else None


def of_study(tx: Connection, disclosure: Disclosure, study_id: int) -> tuple[StudyChange, ...]:
    """Every change of a study, newest first."""
    query = (
        select(t.study_change)
        .join(t.study, t.study.c.id == t.study_change.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.study_change.c.study_id == study_id, *scope(disclosure))
        .order_by(t.study_change.c.id.desc())
    )
    return tuple(change(row) for row in tx.execute(query))


def change(row: Any) -> StudyChange:
    """A row as it is told."""
    sides = from_json(_Sides, row.document)
    return StudyChange(
        row.id,
        ChangeKind(row.kind),
        row.from_patient_id,
        row.to_patient_id,
        sides.before,
        sides.after,
        row.account,
        row.organization,
        row.reason,
        row.changed_at,
    )


def changed(tx: Connection, disclosure: Disclosure, study_instance_uid: str) -> StudyChange | None:
    """The move that holds for a study; None for one that is as it was sent, or is so again."""
    query = (
        select(t.study.c.id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.study.c.study_instance_uid == study_instance_uid, *scope(disclosure))
    )
    study_id = tx.scalar(query)
    found = next(iter(of_study(tx, disclosure, study_id)), None) if study_id else None
    return found if found and found.kind is ChangeKind.MOVE else None


def hidden_of_study(tx: Connection, disclosure: Disclosure, study_id: int) -> dict[Hidden, int]:
    """How many instances of a study are hidden, by why."""
    query = (
        select(t.instance.c.hidden, func.count())
        .join(t.series, t.series.c.id == t.instance.c.series_id)
        .join(t.study, t.study.c.id == t.series.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.study.c.id == study_id, t.instance.c.hidden != "", *scope(disclosure))
        .group_by(t.instance.c.hidden)
    )
    return {Hidden(why): number for why, number in tx.execute(query)}
