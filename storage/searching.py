"""Searching at every level of an imaging study, without counting what nobody asked to be counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, func, or_, select

from schemas.disclosure import Disclosure
from schemas.documents import from_json
from schemas.patient import normal_name
from schemas.study import InstanceRecord, Series, SeriesRecord, StudyCriteria, StudyRecord

from . import studies, study_matching
from . import tables as t
from .headers import described, unpacked
from .reports import scope

_BATCH = 200
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Found:
    """One match, at its level and those above. header: DICOM JSON of the instance, or of the first one below; empty
    where nobody asked for it, or it is still to be made.
    """

    study: StudyRecord
    series: SeriesRecord | None = None
    instance: InstanceRecord | None = None
    header: bytes = b""


def studies_matching(
    tx: Connection, disclosure: Disclosure, criteria: StudyCriteria, *, fuzzy: bool = False
) -> Iterator[StudyRecord]:
    """Studies that match, newest first by study date, as far as they are asked for: the page of `criteria` is ignored.

    fuzzy: names are found by their beginning, by pinyin and by its initials too.
    """
    name = normal_name(criteria.patient_name.strip("*")) if fuzzy else ""
    exact = study_matching.matching(criteria)
    if name:
        similar = t.patient.c.id.in_(
            select(t.patient_search_key.c.patient_id).where(
                t.patient_search_key.c.search_key >= name, t.patient_search_key.c.search_key < name + _LAST
            )
        )
        others = study_matching.matching(replace(criteria, patient_name=""))
        query = studies.visible_studies(disclosure).where(*others, or_(similar, *_name_only(criteria)))
    else:
        query = studies.visible_studies(disclosure).where(*exact)
    query = query.order_by(t.study.c.study_date.desc(), t.study.c.id.desc())
    start = 0
    while rows := list(tx.execute(query.limit(_BATCH).offset(start))):
        yield from map(studies.study_record, rows)
        if len(rows) < _BATCH:
            return
        start += _BATCH


def _name_only(criteria: StudyCriteria) -> list[Any]:
    return study_matching.matching(StudyCriteria(patient_name=criteria.patient_name, hidden=True))


def series_of(tx: Connection, disclosure: Disclosure, study: StudyRecord) -> list[SeriesRecord]:
    """The series of a study that are not hidden, by number."""
    query = (
        select(t.series)
        .join(t.study, t.study.c.id == t.series.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.series.c.study_id == study.id, t.series.c.instance_count > 0, *scope(disclosure))
        .order_by(t.series.c.id)
    )
    uid = study.study.study_instance_uid
    return [SeriesRecord(row.id, uid, from_json(Series, row.document), row.instance_count) for row in tx.execute(query)]


def headers_of(
    tx: Connection, disclosure: Disclosure, *, series_ids: Sequence[int] = (), instance_ids: Sequence[int] = ()
) -> dict[int, bytes]:
    """Headers that are made already: by series that of its first instance, or by instance. DICOM JSON."""
    query = (
        select(t.instance.c.series_id if series_ids else t.instance.c.id, t.instance_header.c.document)
        .select_from(t.instance)
        .join(t.instance_header, described())
        .join(t.series, t.series.c.id == t.instance.c.series_id)
        .join(t.study, t.study.c.id == t.series.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.instance.c.hidden == "", *scope(disclosure))
    )
    if series_ids:
        shown = (t.instance.c.series_id.in_(series_ids), t.instance.c.hidden == "")
        first = select(func.min(t.instance.c.id)).where(*shown).group_by(t.instance.c.series_id)
        query = query.where(t.instance.c.id.in_(first))
    else:
        query = query.where(t.instance.c.id.in_(instance_ids))
    return {key: unpacked(document) for key, document in tx.execute(query)}
