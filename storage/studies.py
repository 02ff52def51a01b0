"""Studies, series and instances: what is added to them, and what of them is found."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from schemas.disclosure import Disclosure
from schemas.documents import from_json, to_json
from schemas.faults import NotFound
from schemas.paging import Page
from schemas.study import Hidden, Instance, InstanceRecord, Series, SeriesRecord, Study, StudyCriteria, StudyRecord

from . import study_readings
from . import tables as t
from .growing import add_to_counts
from .hiding import recount
from .reports import scope
from .statement import Statement
from .study_matching import matching

# Asked or said for every instance that arrives.
_INSTANCE_OF = Statement(
    select(t.instance.c.data_set_digest, t.study.c.report_id)
    .join(t.series, t.series.c.id == t.instance.c.series_id)
    .join(t.study, t.study.c.id == t.series.c.study_id)
    .where(t.instance.c.sop_instance_uid == bindparam("uid"))
)
_DATA_SET_OF = Statement(
    select(t.instance.c.digest, t.instance.c.data_set_offset, t.instance.c.data_set_digest).where(
        t.instance.c.sop_instance_uid == bindparam("uid")
    )
)
_STUDY_OF = Statement(
    select(
        t.study.c.id, t.study.c.patient_id, t.study.c.report_id, t.study.c.modalities, t.study.c.instance_count
    ).where(t.study.c.study_instance_uid == bindparam("uid"))
)
_SERIES_OF = Statement(
    select(t.series.c.id, t.series.c.study_id).where(t.series.c.series_instance_uid == bindparam("uid"))
)
_ADD_INSTANCE = Statement(t.instance.insert())


@dataclass(frozen=True, slots=True)
class KnownStudy:
    """`patient_id`: the patient row to whom the study is bound, not the person. instance_count: of what is shown."""

    id: int
    patient_id: int
    report_id: int
    modalities: str
    instance_count: int = 0


@dataclass(frozen=True, slots=True)
class KnownInstance:
    """A stored instance as a re-sent one is compared with it."""

    data_set_digest: str
    report_id: int


def known_instance(tx: Connection, sop_instance_uid: str) -> KnownInstance | None:
    """What is already stored under this UID."""
    row = _INSTANCE_OF.first(tx, uid=sop_instance_uid)
    return KnownInstance(row[0], row[1]) if row else None


def known_data_set(tx: Connection, sop_instance_uid: str) -> tuple[str, int, str] | None:
    """Of what is stored under this UID: its object, where the data set begins in it, and the data set's digest."""
    row: tuple[str, int, str] | None = _DATA_SET_OF.raw(tx, uid=sop_instance_uid)
    return row


def put_data_set(tx: Connection, sop_instance_uid: str, data_set_digest: str) -> None:
    """Keeps the digest of a data set that is stored under this UID."""
    which = t.instance.c.sop_instance_uid == sop_instance_uid
    tx.execute(t.instance.update().where(which).values(data_set_digest=data_set_digest))


def known_study(tx: Connection, study_instance_uid: str) -> KnownStudy | None:
    """The study under this UID, whoever sent it."""
    row = _STUDY_OF.first(tx, uid=study_instance_uid)
    return KnownStudy(*row) if row else None


def known_series(tx: Connection, series_instance_uid: str) -> tuple[int, int] | None:
    """(series id, study id) of the series under this UID."""
    row = _SERIES_OF.first(tx, uid=series_instance_uid)
    return (row[0], row[1]) if row else None


def add_study(
    tx: Connection,
    study: Study,
    *,
    patient_id: int,
    organization_id: int,
    report_id: int,
    observed_at: dt.datetime,
    now: dt.datetime,
) -> int:
    """A study new to us, as yet without series. Returns its id."""
    values = {
        "study_instance_uid": study.study_instance_uid,
        "patient_id": patient_id,
        "organization_id": organization_id,
        "report_id": report_id,
        "patient_identifier": study.patient.key.value,
        "patient_name": f"{study.patient.name.text}\n{study.patient.name.latin}".casefold(),
        "accession_number": study.accession_number,
        "study_date": study.study_date,
        "description": study.description.casefold(),
        "series_count": 0,
        "instance_count": 0,
        "received_at": now,
        "observed_at": observed_at,
        "last_arrival_at": now,
        "document": to_json(study),
    }
    study_id = int(tx.scalar(t.study.insert().returning(t.study.c.id), values) or 0)
    study_readings.put(tx, study.study_instance_uid, now)
    return study_id


def add_series(tx: Connection, study: KnownStudy, series: Series) -> int:
    """A series new to us; counts it in its study. Returns its id."""
    values = {
        "series_instance_uid": series.series_instance_uid,
        "study_id": study.id,
        "instance_count": 0,
        "document": to_json(series),
    }
    series_id = int(tx.scalar(t.series.insert().returning(t.series.c.id), values) or 0)
    modalities = "\\".join(sorted({*study.modalities.split("\\"), series.modality} - {""}))
    tx.execute(
        t.study.update()
        .where(t.study.c.id == study.id)
        .values(series_count=t.study.c.series_count + 1, modalities=modalities)
    )
    return series_id


def add_instance(
    tx: Connection,
    instance: Instance,
    *,
    series_id: int,
    study_id: int,
    delivery_id: int,
    digest: str,
    now: dt.datetime,
    hidden: Hidden | None = None,
    hidden_by: str = "",
) -> None:
    """An instance; counts it in its series and study, which may grow further.

    hidden, hidden_by: as in InstanceRecord. What is hidden is neither counted nor makes its study grow.
    """
    values = instance_row(instance, series_id=series_id, delivery_id=delivery_id, digest=digest, now=now)
    _ADD_INSTANCE.run(tx, **values | {"hidden": hidden or "", "hidden_by": hidden_by})
    if hidden:
        recount(tx, study_id)
    else:
        add_to_counts(tx, {series_id: 1}, {study_id: 1}, now, [study_id])


def add_instances(tx: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Instances that nobody has hidden. The caller has them counted by `growing.add_to_counts`."""
    _ADD_INSTANCE.many(tx, rows)


def instance_row(
    instance: Instance, *, series_id: int, delivery_id: int, digest: str, now: dt.datetime
) -> dict[str, object]:
    """What `add_instances` takes."""
    return {
        "sop_instance_uid": instance.sop_instance_uid,
        "series_id": series_id,
        "delivery_id": delivery_id,
        "sop_class_uid": instance.sop_class_uid,
        "transfer_syntax_uid": instance.transfer_syntax_uid,
        "digest": digest,
        "data_set_digest": instance.data_set_digest,
        "data_set_offset": instance.data_set_offset,
        "instance_number": instance.instance_number,
        "rows": instance.rows,
        "columns": instance.columns,
        "frames": instance.frames,
        "received_at": now,
        "hidden": "",
        "hidden_by": "",
    }


def visible_studies(disclosure: Disclosure) -> Select[Any]:
    """The rows of which `study_record` makes a study, of those that the asker may know of."""
    return (
        select(t.study, t.patient.c.person_id, t.organization.c.code)
        .join(t.patient, t.patient.c.id == t.study.c.patient_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(*scope(disclosure))
    )


def study_record(row: Any) -> StudyRecord:
    """A row of `visible_studies`."""
    return StudyRecord(
        id=row.id,
        patient_id=row.person_id,
        organization=row.code,
        study=from_json(Study, row.document),
        modalities=tuple(filter(None, row.modalities.split("\\"))),
        series_count=row.series_count,
        instance_count=row.instance_count,
        received_at=row.received_at,
        observed_at=row.observed_at,
        report_id=row.report_id,
        complete=row.completed_at is not None,
    )


def search(tx: Connection, disclosure: Disclosure, criteria: StudyCriteria) -> Page[StudyRecord]:
    """Studies that match, newest first by study date."""
    query = visible_studies(disclosure).where(*matching(criteria))
    total = tx.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = (t.study.c.study_date.desc(), t.study.c.id.desc())
    rows = tx.execute(query.order_by(*order).limit(criteria.limit).offset(criteria.offset))
    return Page(tuple(study_record(row) for row in rows), total, criteria.offset)


def study(tx: Connection, disclosure: Disclosure, study_id: int, *, hidden: bool = False) -> StudyRecord:
    """Raises NotFound, also where the asker may not know of it. hidden: also where every instance is hidden."""
    shown = [] if hidden else [t.study.c.instance_count > 0]
    row = tx.execute(visible_studies(disclosure).where(t.study.c.id == study_id, *shown)).first()
    if row is None:
        raise NotFound("no such study", where="study")
    return study_record(row)


def series(tx: Connection, disclosure: Disclosure, study_instance_uid: str) -> tuple[SeriesRecord, ...]:
    """The series of a study that are not hidden, in the order of their arrival."""
    query = (
        select(t.series, t.study.c.study_instance_uid)
        .join(t.study, t.study.c.id == t.series.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.study.c.study_instance_uid == study_instance_uid, t.series.c.instance_count > 0, *scope(disclosure))
        .order_by(t.series.c.id)
    )
    return tuple(
        SeriesRecord(row.id, row.study_instance_uid, from_json(Series, row.document), row.instance_count)
        for row in tx.execute(query)
    )


def _chosen(study_uid: str, series_uid: str, sop_uid: str, *, hidden: bool) -> list[Any]:
    wanted: list[Any] = [t.study.c.study_instance_uid == study_uid]
    if not hidden:
        wanted.append(t.instance.c.hidden == "")
    if series_uid:
        wanted.append(t.series.c.series_instance_uid == series_uid)
    if sop_uid:
        wanted.append(t.instance.c.sop_instance_uid == sop_uid)
    return wanted


def instances(
    tx: Connection,
    disclosure: Disclosure,
    study_uid: str,
    series_uid: str = "",
    sop_uid: str = "",
    *,
    hidden: bool = False,
) -> tuple[InstanceRecord, ...]:
    """Instances of a study, of one of its series, or the one: by series, instance number, arrival.

    hidden: those that are hidden as well; for whoever administers or audits, never for treatment.
    """
    query = (
        select(t.instance, t.study.c.study_instance_uid, t.series.c.series_instance_uid)
        .join(t.series, t.series.c.id == t.instance.c.series_id)
        .join(t.study, t.study.c.id == t.series.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(*_chosen(study_uid, series_uid, sop_uid, hidden=hidden), *scope(disclosure))
        .order_by(t.instance.c.series_id, t.instance.c.instance_number, t.instance.c.id)
    )
    return tuple(
        InstanceRecord(
            id=row.id,
            study_instance_uid=row.study_instance_uid,
            series_instance_uid=row.series_instance_uid,
            sop_instance_uid=row.sop_instance_uid,
            sop_class_uid=row.sop_class_uid,
            transfer_syntax_uid=row.transfer_syntax_uid,
            digest=row.digest,
            data_set_offset=row.data_set_offset,
            instance_number=row.instance_number,
            rows=row.rows,
            columns=row.columns,
            frames=row.frames,
            received_at=row.received_at,
            hidden=Hidden(row.hidden) if row.hidden else None,
            hidden_by=row.hidden_by,
        )
        for row in tx.execute(query)
    )
