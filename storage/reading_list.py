"""The list from which radiologists work: studies with images, newest first, read or not."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, exists, func, or_, select, union

from schemas.disclosure import Disclosure
from schemas.paging import Page
from schemas.patient import normal_name
from schemas.reading_list import MOST_LISTED, ListCriteria, ListedStudy
from schemas.report import ReportCategory
from schemas.study import StudyRecord

from . import studies
from . import tables as t
from .reports import scope
from .study_content import contents

_LAST = "\U0010ffff"
_IMAGES = exists(
    select(t.instance.c.id)
    .join(t.series, t.series.c.id == t.instance.c.series_id)
    .where(t.series.c.study_id == t.study.c.id, t.instance.c.rows > 0, t.instance.c.hidden == "")
)


def search(tx: Connection, disclosure: Disclosure, criteria: ListCriteria) -> Page[ListedStudy]:
    """Studies with images that match, newest first by the patient's clock. `total` goes up to MOST_LISTED."""
    wanted = _matching(criteria)
    found = studies.visible_studies(disclosure).where(*wanted)
    counted = select(t.study.c.id).where(*wanted)
    if disclosure.only_organization:
        counted = counted.join(t.organization, t.organization.c.id == t.study.c.organization_id)
        counted = counted.where(*scope(disclosure))
    total = tx.scalar(select(func.count()).select_from(counted.limit(MOST_LISTED).subquery())) or 0
    rows = tx.execute(
        found.order_by(t.study.c.observed_at.desc(), t.study.c.id.desc())
        .limit(min(criteria.limit, max(MOST_LISTED - criteria.offset, 0)))
        .offset(criteria.offset)
    ).all()
    records = [studies.study_record(row) for row in rows]
    held = contents(tx, disclosure, [record.id for record in records])
    before = _priors(tx, disclosure, records)
    items = (
        ListedStudy(record, row.read_at is not None, held[record.id], before[record.id])
        for record, row in zip(records, rows, strict=True)
    )
    return Page(tuple(items), total, criteria.offset)


def _matching(criteria: ListCriteria) -> list[Any]:
    column = t.study.c
    wanted: list[Any] = [_IMAGES]
    if criteria.waiting:
        wanted.append(t.UNREAD)
    if criteria.modality:
        wanted.append(("\\" + column.modalities + "\\").contains(f"\\{criteria.modality}\\", autoescape=True))
    if criteria.organization:
        own = select(t.organization.c.id).where(t.organization.c.code == criteria.organization)
        wanted.append(column.organization_id == own.scalar_subquery())
    if criteria.since:
        wanted.append(column.observed_at >= criteria.since)
    if criteria.text.strip():
        wanted.append(column.id.in_(_named(criteria.text.strip())))
    return wanted


def _named(text: str) -> Any:
    """Studies under a name, a Patient ID or an accession number that begins so, each found by its own index."""
    column, key, known = t.study.c, t.patient_search_key.c, t.patient_identifier.c
    name = normal_name(text)
    whose: list[Select[Any]] = [
        select(known.patient_id).where(known.value.in_({text, text.upper()})),
    ]
    if name:
        whose.append(select(key.patient_id).where(key.search_key >= name, key.search_key < name + _LAST))
    own = [column.patient_identifier == text, column.patient_identifier == text.upper()]
    return union(
        *(select(column.id).where(column.patient_id.in_(each)) for each in whose),
        select(column.id).where(or_(*own)),
        select(column.id).where(column.accession_number >= text, column.accession_number < text + _LAST),
    )


def _priors(tx: Connection, disclosure: Disclosure, records: Sequence[StudyRecord]) -> dict[int, int]:
    """By study: how many other imaging studies of the same person were made before it, wherever."""
    query = (
        select(t.study.c.id, t.study.c.observed_at, t.patient.c.person_id)
        .join(t.patient, t.patient.c.id == t.study.c.patient_id)
        .join(t.report, t.report.c.id == t.study.c.report_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(
            t.patient.c.person_id.in_({record.patient_id for record in records}),
            t.study.c.instance_count > 0,
            t.report.c.category == ReportCategory.IMAGING.value,
            *scope(disclosure),
        )
    )
    made: dict[int, list[tuple[Any, int]]] = {}
    for row in tx.execute(query) if records else ():
        made.setdefault(row.person_id, []).append((row.observed_at, row.id))
    return {
        each.id: sum(other < (each.observed_at, each.id) for other in made.get(each.patient_id, ())) for each in records
    }
