"""Merges of patients as institutions told them, and what became of each."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, or_, select

from schemas.disclosure import Disclosure
from schemas.faults import NotFound
from schemas.identifiers import Identifier
from schemas.patient import MergeRecord, MergeState

from . import tables as t

_MOST = 500
_prior = t.patient.alias("prior")
_surviving = t.patient.alias("surviving")


@dataclass(frozen=True, slots=True)
class Known:
    """A merge as the rules see it: patient rows, not persons. `from_person_id`: whose the prior one was before."""

    id: int
    prior_id: int
    surviving_id: int
    from_person_id: int
    state: MergeState


def _known(rows: Iterable[Any]) -> list[Known]:
    return [
        Known(row.id, row.prior_patient_id, row.surviving_patient_id, row.from_person_id, MergeState(row.state))
        for row in rows
    ]


def known_of(tx: Connection, patient_ids: Iterable[int]) -> list[Known]:
    """Every merge in which any of these patients is, whatever became of it, oldest first."""
    ids = list(patient_ids)
    among = or_(t.merge.c.prior_patient_id.in_(ids), t.merge.c.surviving_patient_id.in_(ids))
    return _known(tx.execute(select(t.merge).where(among).order_by(t.merge.c.id)))


def known_by_id(tx: Connection, merge_id: int) -> Known:
    """Raises NotFound."""
    found = _known(tx.execute(select(t.merge).where(t.merge.c.id == merge_id)))
    if not found:
        raise NotFound("no such merge", where="merge")
    return found[0]


def add(
    tx: Connection,
    prior_id: int,
    surviving_id: int,
    *,
    from_person_id: int,
    delivery_id: int,
    state: MergeState,
    now: dt.datetime,
) -> int:
    """A merge that a message told. Returns its id."""
    values = {
        "prior_patient_id": prior_id,
        "surviving_patient_id": surviving_id,
        "from_person_id": from_person_id,
        "delivery_id": delivery_id,
        "state": state.value,
        "merged_at": now,
    }
    return int(tx.scalar(t.merge.insert().returning(t.merge.c.id), values) or 0)


def settle_undone(tx: Connection, merge_ids: Iterable[int], *, undone_by: str, reason: str, now: dt.datetime) -> None:
    """Writes that somebody took these merges back."""
    values = {"state": MergeState.UNDONE.value, "undone_by": undone_by, "undone_at": now, "reason": reason}
    tx.execute(t.merge.update().where(t.merge.c.id.in_(list(merge_ids))).values(values))


def known_homes(tx: Connection, patient_ids: Iterable[int]) -> dict[int, int]:
    """By patient: the person whom they would be without any merge; 0 where no other link was ever made."""
    ids = list(patient_ids)
    query = select(t.link.c.patient_id, t.link.c.to_person_id).where(
        t.link.c.patient_id.in_(ids), t.link.c.reason.not_like("merge-%"), t.link.c.reason != "link-undone"
    )
    return dict.fromkeys(ids, 0) | {row.patient_id: row.to_person_id for row in tx.execute(query.order_by(t.link.c.id))}


def records(tx: Connection, disclosure: Disclosure) -> tuple[MergeRecord, ...]:
    """Every merge, newest first."""
    query = (
        select(
            t.merge,
            _prior.c.system.label("prior_system"),
            _prior.c.value.label("prior_value"),
            _prior.c.person_id.label("prior_person"),
            _surviving.c.system.label("surviving_system"),
            _surviving.c.value.label("surviving_value"),
            _surviving.c.person_id.label("surviving_person"),
            t.organization.c.code.label("organization"),
            t.delivery.c.message_id,
        )
        .join(_prior, _prior.c.id == t.merge.c.prior_patient_id)
        .join(_surviving, _surviving.c.id == t.merge.c.surviving_patient_id)
        .join(t.delivery, t.delivery.c.id == t.merge.c.delivery_id)
        .join(t.source, t.source.c.id == t.delivery.c.source_id)
        .join(t.organization, t.organization.c.id == t.source.c.organization_id)
        .order_by(t.merge.c.id.desc())
        .limit(_MOST)
    )
    return tuple(_record(row) for row in tx.execute(query))


def _record(row: Any) -> MergeRecord:
    return MergeRecord(
        id=row.id,
        patient_id=row.surviving_person,
        prior_patient_id=row.prior_person,
        surviving=Identifier(row.surviving_system, row.surviving_value),
        prior=Identifier(row.prior_system, row.prior_value),
        organization=row.organization,
        delivery_id=row.delivery_id,
        message_id=row.message_id,
        state=MergeState(row.state),
        merged_at=row.merged_at,
        undone_by=row.undone_by,
        undone_at=row.undone_at,
        reason=row.reason,
    )
