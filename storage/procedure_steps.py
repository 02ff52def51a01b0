"""What modalities say of their work (MPPS), as received and as far as we read it. Source: DICOM PS3.4 annex F."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from schemas.documents import from_json, to_json
from schemas.network import KnownStep, ProcedureStep, StepMessage, StepState

from . import tables as t


@dataclass(frozen=True, slots=True)
class _Made:
    sop_instance_uids: tuple[str, ...] = ()


def known(tx: Connection, sop_instance_uid: str) -> tuple[int, int, ProcedureStep] | None:
    """(id, source id, step) of the step under this UID."""
    row = tx.execute(select(t.procedure_step).where(t.procedure_step.c.sop_instance_uid == sop_instance_uid)).first()
    if row is None:
        return None
    made = from_json(_Made, row.content).sop_instance_uids
    step = ProcedureStep(row.sop_instance_uid, StepState(row.state), row.study_instance_uid, row.accession_number, made)
    return row.id, row.source_id, step


def add(tx: Connection, source_id: int, step: ProcedureStep, message: StepMessage, now: dt.datetime) -> int:
    """A new step with the data set that told of it; its id."""
    values = {**_values(step), "sop_instance_uid": step.sop_instance_uid, "source_id": source_id}
    values |= {"created_at": now, "updated_at": now}
    step_id = int(tx.scalar(t.procedure_step.insert().returning(t.procedure_step.c.id), values) or 0)
    add_message(tx, step_id, message, now)
    return step_id


def put(tx: Connection, step_id: int, step: ProcedureStep, now: dt.datetime) -> None:
    """The step as it is now."""
    values = {**_values(step), "updated_at": now}
    tx.execute(t.procedure_step.update().where(t.procedure_step.c.id == step_id).values(values))


def _values(step: ProcedureStep) -> dict[str, object]:
    return {
        "study_instance_uid": step.study_instance_uid,
        "accession_number": step.accession_number,
        "state": step.state.value,
        "content": to_json(_Made(step.sop_instance_uids)),
    }


def add_message(tx: Connection, step_id: int, message: StepMessage, now: dt.datetime) -> None:
    """Another data set about the step, as it was received."""
    values = {
        "procedure_step_id": step_id,
        "command": message.command,
        "transfer_syntax_uid": message.transfer_syntax_uid,
        "received_at": now,
        "content": message.content,
    }
    tx.execute(t.procedure_step_message.insert(), values)


def known_of_study(tx: Connection, study_instance_uid: str, accession_number: str = "") -> tuple[KnownStep, ...]:
    """What modalities announced for a study: named by its UID or, where they knew none, by its accession number.

    A study is whole when every step of it is over and every instance that a COMPLETED one names is there; a step
    without names says only that no more will come.
    """
    column = t.procedure_step.c
    of_order = (column.study_instance_uid == "") & (column.accession_number == accession_number)
    named = column.study_instance_uid == study_instance_uid
    query = select(t.procedure_step).where(or_(named, of_order) if accession_number else named).order_by(column.id)
    return tuple(
        KnownStep(StepState(row.state), frozenset(from_json(_Made, row.content).sop_instance_uids), row.updated_at)
        for row in tx.execute(query)
    )
