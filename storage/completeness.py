"""Which studies are still arriving, what a modality said of those that it had finished, and which are complete."""

import datetime as dt
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from schemas.documents import from_json, to_json
from schemas.image_quality import Check
from schemas.study import Series

from . import tables as t
from .headers import described, unpacked

_HANDFUL = 1000


@dataclass(frozen=True, slots=True)
class Completed:
    """A study that has just been found complete. times: the how manieth time this is."""

    study_id: int
    study_instance_uid: str
    report_id: int
    instances: int
    times: int


def put_announcement(tx: Connection, study_instance_uid: str, by: str, uids: Collection[str], now: dt.datetime) -> None:
    """Keeps what a modality says of a study that it has finished; a later word of the same takes its place."""
    column = t.study_announcement.c
    same = (column.study_instance_uid == study_instance_uid, column.announced_by == by)
    values: dict[str, object] = {"announced_at": now, "document": json.dumps(sorted(set(uids))).encode()}
    if not tx.execute(t.study_announcement.update().where(*same).values(values)).rowcount:
        values |= {"study_instance_uid": study_instance_uid, "announced_by": by}
        tx.execute(t.study_announcement.insert(), values)


def known_missing(tx: Connection, study_instance_uid: str) -> int | None:
    """How many of the instances that were announced have not come; None where nothing was announced."""
    announced = set[str]()
    query = select(t.study_announcement.c.document).where(
        t.study_announcement.c.study_instance_uid == study_instance_uid
    )
    documents = tx.scalars(query).all()
    for document in documents:
        announced.update(json.loads(document))
    return sum(1 for _ in _absent(tx, sorted(announced))) if documents else None


def _absent(tx: Connection, uids: list[str]) -> Iterator[str]:
    for start in range(0, len(uids), _HANDFUL):
        handful = uids[start : start + _HANDFUL]
        query = select(t.instance.c.sop_instance_uid).where(t.instance.c.sop_instance_uid.in_(handful))
        yield from set(handful) - set(tx.scalars(query))


def known_quiet(tx: Connection, before: dt.datetime, most: int) -> tuple[int, ...]:
    """Studies of which nothing has come since, and which nobody has found complete yet."""
    query = select(t.study.c.id).where(t.study.c.completed_at.is_(None), t.study.c.last_arrival_at <= before)
    return tuple(tx.scalars(query.order_by(t.study.c.id).limit(most)))


def known_announced(tx: Connection, most: int) -> tuple[tuple[int, str], ...]:
    """(id, UID) of studies that are still arriving and that a modality says it has finished."""
    query = (
        select(t.study.c.id, t.study.c.study_instance_uid)
        .join(t.study_announcement, t.study_announcement.c.study_instance_uid == t.study.c.study_instance_uid)
        .where(t.study.c.completed_at.is_(None))
    )
    return tuple((row[0], row[1]) for row in tx.execute(query.distinct().order_by(t.study.c.id).limit(most)))


def settle(tx: Connection, study_id: int, now: dt.datetime, *, before: dt.datetime | None = None) -> Completed | None:
    """Finds a study complete, once: None where somebody else just did, or where more has come since `before`."""
    column = t.study.c
    change = t.study.update().where(column.id == study_id, column.completed_at.is_(None))
    if before is not None:
        change = change.where(column.last_arrival_at <= before)
    change = change.values(completed_at=now, completions=column.completions + 1)
    found: Any = tx.execute(
        change.returning(
            column.id, column.study_instance_uid, column.report_id, column.instance_count, column.completions
        )
    ).first()
    return Completed(*found) if found else None


@dataclass(frozen=True, slots=True)
class SeriesContent:
    """A series with the headers of its instances that everybody sees, as DICOM JSON."""

    series: Series
    headers: tuple[dict[str, Any], ...]


def known_content(tx: Connection, study_id: int) -> tuple[SeriesContent, ...]:
    """What is to be checked of a study. Headers that nobody has made yet are empty."""
    query = (
        select(t.series.c.id, t.series.c.document, t.instance_header.c.document.label("header"))
        .join(t.instance, t.instance.c.series_id == t.series.c.id)
        .outerjoin(t.instance_header, described())
        .where(t.series.c.study_id == study_id, t.instance.c.hidden == "")
        .order_by(t.series.c.id, t.instance.c.id)
    )
    found: dict[int, tuple[Series, list[dict[str, Any]]]] = {}
    for row in tx.execute(query):
        _, headers = found.setdefault(row.id, (from_json(Series, row.document), []))
        headers.append(json.loads(unpacked(row.header)) if row.header else {})
    return tuple(SeriesContent(series, tuple(headers)) for series, headers in found.values())


def known_instances(tx: Connection, study_id: int) -> tuple[int, ...]:
    """The instances of a study that everybody sees."""
    query = select(t.instance.c.id).join(t.series, t.series.c.id == t.instance.c.series_id)
    return tuple(tx.scalars(query.where(t.series.c.study_id == study_id, t.instance.c.hidden == "")))


def known_uid(tx: Connection, study_id: int) -> str:
    """The Study Instance UID."""
    return str(tx.scalar(select(t.study.c.study_instance_uid).where(t.study.c.id == study_id)) or "")


def add_check(tx: Connection, study_id: int, check: Check, now: dt.datetime) -> None:
    """Keeps what was found of a study's images; earlier findings stay."""
    values = {"study_id": study_id, "kind": "check", "account": "", "organization": "", "recorded_at": now}
    tx.execute(t.study_quality.insert(), values | {"document": to_json(check)})
