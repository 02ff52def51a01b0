"""What studies hold: images are counted apart from documents, which come in the same studies and are none."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, exists, select

from schemas.disclosure import Disclosure
from schemas.documents import from_json
from schemas.study import Series, StudyContent, StudyRecord

from . import tables as t
from .reports import scope

# A series is of images or of something else, never of both (PS3.3 A.1.4): the first image tells of all.
_PICTURED = exists(
    select(t.instance.c.id).where(
        t.instance.c.series_id == t.series.c.id, t.instance.c.rows > 0, t.instance.c.hidden == ""
    )
)


def contents(tx: Connection, disclosure: Disclosure, study_ids: Iterable[int]) -> dict[int, StudyContent]:
    """By study, of those that the asker may know of; nothing that is hidden."""
    query = (
        select(t.series.c.study_id, t.series.c.instance_count, t.series.c.document, _PICTURED.label("pictured"))
        .join(t.study, t.study.c.id == t.series.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.series.c.study_id.in_(list(study_ids)), t.series.c.instance_count > 0, *scope(disclosure))
        .order_by(t.series.c.id)
    )
    found: dict[int, StudyContent] = {}
    for row in tx.execute(query):
        known = found.get(row.study_id, StudyContent())
        found[row.study_id] = _with(known, row.instance_count, row.pictured, from_json(Series, row.document).body_part)
    return found


def described(tx: Connection, disclosure: Disclosure, records: Sequence[StudyRecord]) -> tuple[StudyRecord, ...]:
    """The same studies with what they hold."""
    held = contents(tx, disclosure, [record.id for record in records])
    return tuple(replace(record, content=held.get(record.id, StudyContent())) for record in records)


def _with(known: StudyContent, count: int, pictured: bool, body_part: str) -> StudyContent:
    if not pictured:
        return StudyContent(known.series, known.images, known.documents + count, known.body_parts)
    parts = known.body_parts if body_part in ("", *known.body_parts) else (*known.body_parts, body_part)
    return StudyContent(known.series + 1, known.images + count, known.documents, parts)
