"""A series that is here already, with all that decides whether one more instance of it changes nothing else."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, String, Table, and_, bindparam, case, exists, or_, select

from . import tables as t
from .statement import Statement


class KnownGrowing(NamedTuple):
    """Rows, as they stand now, of a series, its study, the study's report, and the patient whom the sender names.

    patient, report: documents, the report's current version. keyed: the report that the sender's institution issued
    under the study's UID, None where there is none. moved: a person has changed whose the study is. rejected: a
    rejection note was about it, or none of it is shown. ordered: an order carries its accession number.
    """

    series_id: int
    study_id: int
    study_patient_id: int
    report_id: int
    report_patient_id: int
    report: bytes
    patient_id: int
    patient: bytes
    keyed: int | None
    moved: bool
    rejected: bool
    ordered: bool
    completed: bool


_own = t.report.alias("own")
_KEYED = select(_own.c.id).where(
    _own.c.organization_id == bindparam("organization_id"),
    _own.c.category == bindparam("category"),
    _own.c.key == bindparam("study"),
)
_STATE = Statement(
    select(
        t.series.c.id.label("series_id"),
        t.study.c.id.label("study_id"),
        t.study.c.patient_id.label("study_patient_id"),
        t.report.c.id.label("report_id"),
        t.report.c.patient_id.label("report_patient_id"),
        t.report_version.c.document.label("report"),
        t.patient.c.id.label("patient_id"),
        t.patient.c.document.label("patient"),
        _KEYED.scalar_subquery().label("keyed"),
        exists(select(t.study_change.c.id).where(t.study_change.c.study_id == t.study.c.id)).label("moved"),
        # By a note, or all of it by a rule.
        or_(
            exists(select(t.rejection.c.id).where(t.rejection.c.study_instance_uid == bindparam("study"))),
            t.study.c.instance_count == 0,
        ).label("rejected"),
        exists(
            select(t.service_order_number.c.number).where(
                t.service_order_number.c.number == bindparam("accession", type_=String)
            )
        ).label("ordered"),
        t.study.c.completed_at.is_not(None).label("completed"),
    )
    .select_from(t.study)
    .join(t.series, t.series.c.study_id == t.study.c.id)
    .join(t.report, t.report.c.id == t.study.c.report_id)
    .join(
        t.report_version,
        and_(t.report_version.c.report_id == t.report.c.id, t.report_version.c.version == t.report.c.version),
    )
    .join(t.patient, and_(t.patient.c.system == bindparam("system"), t.patient.c.value == bindparam("value")))
    .where(
        t.study.c.study_instance_uid == bindparam("study"),
        t.series.c.series_instance_uid == bindparam("series"),
    )
)


# So many are looked for at once: a statement has places for just these.
MOST = 8
_PLACES = [f"wanted{number}" for number in range(MOST)]


def _among(column: Any) -> Any:
    return column.in_([bindparam(place) for place in _PLACES])


_TAKEN = Statement(
    select(t.delivery.c.fingerprint).where(
        t.delivery.c.source_id == bindparam("source_id"), _among(t.delivery.c.fingerprint)
    )
)
_STORED = Statement(select(t.instance.c.sop_instance_uid).where(_among(t.instance.c.sop_instance_uid)))


# Who is not among them keeps its count.
_KEYS, _MORE = [f"key{number}" for number in range(MOST)], [f"more{number}" for number in range(MOST)]


def _grown(table: Table, **values: Any) -> Statement:
    more = case(
        *((table.c.id == bindparam(key), bindparam(by, type_=Integer)) for key, by in zip(_KEYS, _MORE, strict=True)),
        else_=0,
    )
    these = table.c.id.in_([bindparam(key) for key in _KEYS])
    return Statement(table.update().where(these).values(instance_count=table.c.instance_count + more, **values))


_SERIES_GREW = _grown(t.series)
_STUDIES_GREW = _grown(t.study, last_arrival_at=bindparam("at"))
_STUDY_GROWS = Statement(
    t.study.update()
    .where(t.study.c.id == bindparam("key"), t.study.c.completed_at.is_not(None))
    .values(completed_at=None)
)


def add_to_counts(
    tx: Connection, series: Mapping[int, int], studies: Mapping[int, int], now: dt.datetime, completed: Iterable[int]
) -> None:
    """Counts so many more instances in each of one to MOST series and studies, by id.

    completed: of these studies those that may count as complete, which they are no longer.
    """
    _SERIES_GREW.run(tx, **_more(series))
    _STUDIES_GREW.run(tx, at=now, **_more(studies))
    # Apart: to write it each time would cost an index, though it says nothing new.
    for study_id in completed:
        _STUDY_GROWS.run(tx, key=study_id)


def _more(by_id: Mapping[int, int]) -> dict[str, int]:
    found = dict.fromkeys(_MORE, 0) | dict.fromkeys(_KEYS, -1)
    for (key, count), at, by in zip(by_id.items(), _KEYS, _MORE, strict=False):
        found[at], found[by] = key, count
    return found


def _wanted(values: Sequence[str]) -> dict[str, str]:
    return dict(zip_longest(_PLACES, values, fillvalue=values[0]))


def known_taken(tx: Connection, source_id: int, fingerprints: Sequence[str]) -> set[str]:
    """Those, of one to MOST, of which the source has sent the same bytes before."""
    return {row[0] for row in _TAKEN.all(tx, source_id=source_id, **_wanted(fingerprints))}


def known_stored(tx: Connection, uids: Sequence[str]) -> set[str]:
    """Those, of one to MOST SOP Instance UIDs, under which something is stored."""
    return {row[0] for row in _STORED.all(tx, **_wanted(uids))}


def known_growing(
    tx: Connection,
    *,
    organization_id: int,
    category: str,
    study: str,
    series: str,
    system: str,
    value: str,
    accession: str,
) -> KnownGrowing | None:
    """What is known of the series of that UID; None where it, its study or the patient is new."""
    row = _STATE.raw(
        tx,
        organization_id=organization_id,
        category=category,
        study=study,
        series=series,
        system=system,
        value=value,
        accession=accession,
    )
    return KnownGrowing(*row) if row else None
