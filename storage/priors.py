"""Prior results of one person that may answer an order: a handful of indexed questions, however many reports there are.

A person's results lie under (patient, code, time): of each code only the newest few are looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Connection, Select, TextClause, and_, bindparam, exists, literal_column, or_, select, text

from schemas.disclosure import Disclosure
from schemas.documents import from_json
from schemas.identifiers import UNIDENTIFIED
from schemas.image_quality import Check, Graded, GradeRecord, ImageQuality
from schemas.observation import Slot
from schemas.patient import DoubtState
from schemas.report import Report, ReportCategory, ReportRecord
from schemas.study import Series, Study

from . import tables as t
from .contests import is_contested
from .reports import scope
from .statement import Statement

# Of one code, and of one category of images and tracings: older ones tell a clinician nothing about today.
NEWEST = 4
EXAMINATIONS = 30
# SQLite takes 500 parts in one compound select.
_PARTS = 200
# Characters of a report that is kept in memory as it was read.
_SHORT = 16_384

_MEMBERS = Statement(select(t.patient.c.id).where(t.patient.c.person_id == bindparam("person_id")))
_member = select(t.patient.c.id).where(t.patient.c.person_id == bindparam("person_id"))
_question = select(t.doubt.c.id).where(
    t.doubt.c.state == DoubtState.OPEN.value,
    or_(t.doubt.c.patient_id.in_(_member), t.doubt.c.other_patient_id.in_(_member)),
)
_nobody = select(t.patient.c.id).where(
    t.patient.c.person_id == bindparam("person_id"), t.patient.c.system == UNIDENTIFIED
)
_DOUBT = Statement(select(literal_column("1").label("doubtful")).where(or_(exists(_question), exists(_nobody))))
_EXAMINATIONS = Statement(
    select(t.report.c.id)
    .where(t.report.c.patient_id == bindparam("patient_id"), t.report.c.category == bindparam("category"))
    .order_by(t.report.c.observed_at.desc(), t.report.c.id.desc())
    .limit(EXAMINATIONS)
)
_RECORDS = (
    select(
        t.report.c.id,
        t.report.c.version,
        t.organization.c.code,
        t.report_version.c.delivery_id,
        t.report_version.c.observed_at,
        t.report_version.c.recorded_at,
        t.report_version.c.document,
        is_contested().label("contested"),
    )
    .join(
        t.report_version,
        and_(t.report_version.c.report_id == t.report.c.id, t.report_version.c.version == t.report.c.version),
    )
    .join(t.organization, t.organization.c.id == t.report.c.organization_id)
)
_STUDIES = (
    select(t.study, t.organization.c.code)
    .join(t.organization, t.organization.c.id == t.study.c.organization_id)
    .where(t.study.c.patient_id.in_(bindparam("patients", expanding=True)))
)
_SERIES = select(t.series.c.study_id, t.series.c.document).where(
    t.series.c.study_id.in_(bindparam("ids", expanding=True)), t.series.c.instance_count > 0
)
_QUALITY = (
    select(t.study_quality)
    .where(t.study_quality.c.study_id.in_(bindparam("ids", expanding=True)))
    .order_by(t.study_quality.c.id.desc())
)
_REJECTED = (
    select(t.rejection.c.study_instance_uid, t.rejection.c.code)
    .where(t.rejection.c.study_instance_uid.in_(bindparam("uids", expanding=True)), t.rejection.c.undone_at.is_(None))
    .distinct()
)


@dataclass(frozen=True, slots=True)
class Person:
    """patients: rows of the patients who are this person. doubtful: a question about one of them is open."""

    id: int
    patients: tuple[int, ...]
    doubtful: bool


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """A study as far as a verdict needs it. hidden: codes of the rejections in force."""

    id: int
    organization: str
    study: Study
    modalities: tuple[str, ...]
    instance_count: int
    complete: bool
    series: tuple[Series, ...] = ()
    quality: ImageQuality = field(default_factory=ImageQuality)
    hidden: tuple[str, ...] = ()


def person(tx: Connection, disclosure: Disclosure, person_id: int) -> Person | None:
    """Who is asked about; None for nobody. What they have is asked below, within what the asker may see."""
    del disclosure
    members = tuple(row[0] for row in _MEMBERS.all(tx, person_id=person_id))
    return Person(person_id, members, _DOUBT.first(tx, person_id=person_id) is not None) if members else None


def results(
    tx: Connection, disclosure: Disclosure, whose: Person, codes: Iterable[tuple[str, str]]
) -> dict[int, list[Slot]]:
    """By report: where the newest results of these (system, code) stand in its current version."""
    del disclosure  # `records` below leaves out what the asker may not see
    wanted = set(codes)
    asked = [(patient, code) for patient in whose.patients for code in sorted({code for _, code in wanted})]
    found: dict[int, list[Slot]] = {}
    for start in range(0, len(asked), _PARTS):
        part = asked[start : start + _PARTS]
        values: dict[str, object] = {f"p{n}": patient for n, (patient, _) in enumerate(part)}
        values |= {f"c{n}": code for n, (_, code) in enumerate(part)}
        for row in tx.execute(_newest(len(part)), values):
            if (row.code_system, row.code) in wanted or ("", row.code) in wanted:
                found.setdefault(row.report_id, []).append((row.code, row.code_system, row.sub_id, row.slot))
    return found


@cache
def _newest(parts: int) -> TextClause:
    # One index walk for each patient and code; a window over all rows of a long patient would read every one.
    each = (
        "SELECT * FROM (SELECT o.report_id, o.code, o.code_system, o.sub_id, o.slot FROM observation o"
        " JOIN report r ON r.id = o.report_id AND r.version = o.version"
        " WHERE o.patient_id = :p{n} AND o.code = :c{n} ORDER BY o.observed_at DESC, o.id DESC LIMIT {limit}) AS x{n}"
    )
    return text(" UNION ALL ".join(each.format(n=n, limit=NEWEST) for n in range(parts)))


def examinations(tx: Connection, disclosure: Disclosure, whose: Person, category: ReportCategory) -> list[int]:
    """The newest reports of images or tracings."""
    del disclosure  # `records` below leaves out what the asker may not see
    return [
        row[0]
        for patient in whose.patients
        for row in _EXAMINATIONS.all(tx, patient_id=patient, category=category.value)
    ]


def records(tx: Connection, disclosure: Disclosure, whose: Person, ids: Sequence[int]) -> dict[int, ReportRecord]:
    """The current versions of these reports, of what the asker may see."""
    if not ids:
        return {}
    if disclosure.only_organization:
        rows: Iterable[Any] = tx.execute(_RECORDS.where(t.report.c.id.in_(ids), *scope(disclosure)))
    else:
        rows = _numbered(len(ids)).all(tx, **{f"id{n}": number for n, number in enumerate(ids)})
    return {row.id: _record(row, whose) for row in rows}


@cache
def _numbered(many: int) -> Statement:
    # Of each length one: there are few, and what the statement costs to make is several times what it costs to run.
    return Statement(_RECORDS.where(t.report.c.id.in_([bindparam(f"id{n}") for n in range(many)])))


def _within(query: Select[Any], disclosure: Disclosure) -> Select[Any]:
    # As it stands where nothing is added: a statement made anew is looked up among the compiled ones each time.
    return query.where(*scope(disclosure)) if disclosure.only_organization else query


def _record(row: Any, whose: Person) -> ReportRecord:
    return ReportRecord(
        id=row.id,
        version=row.version,
        current=True,
        patient_id=whose.id,
        organization=row.code,
        observed_at=row.observed_at,
        recorded_at=row.recorded_at,
        delivery_id=row.delivery_id,
        report=_report(row.document) if len(row.document) < _SHORT else from_json(Report, row.document),
        doubtful=whose.doubtful or bool(row.contested),
    )


@lru_cache(maxsize=1024)
def _report(document: str) -> Report:
    # Whoever orders asks more than once about the same person: as the order is picked, signed, and on the page.
    return from_json(Report, document)


def studies(
    tx: Connection, disclosure: Disclosure, whose: Person, read_by: Iterable[ReportRecord]
) -> dict[int, FoundStudy]:
    """By report: the study that it is about, by UID, else by accession number at the same institution."""
    rows = tx.execute(_within(_STUDIES, disclosure), {"patients": list(whose.patients)}).all()
    by_uid = {row.study_instance_uid: row for row in rows}
    by_number = {(row.code, row.accession_number): row for row in rows if row.accession_number}
    found: dict[int, Any] = {}
    for record in read_by:
        report = record.report
        row = by_uid.get(report.study_instance_uid) or by_number.get((record.organization, report.accession_number))
        if row is not None:
            found[record.id] = row
    described = _described(tx, list({row.id: row for row in found.values()}.values()))
    return {report_id: described[row.id] for report_id, row in found.items()}


def _described(tx: Connection, rows: Sequence[Any]) -> Mapping[int, FoundStudy]:
    if not rows:
        return {}
    ids, uids = [row.id for row in rows], [row.study_instance_uid for row in rows]
    series: dict[int, list[Series]] = {}
    for row in tx.execute(_SERIES, {"ids": ids}):
        series.setdefault(row.study_id, []).append(from_json(Series, row.document))
    graded: dict[int, list[Any]] = {}
    for row in tx.execute(_QUALITY, {"ids": ids}):
        graded.setdefault(row.study_id, []).append(row)
    hidden: dict[str, list[str]] = {}
    for row in tx.execute(_REJECTED, {"uids": uids}):
        hidden.setdefault(row.study_instance_uid, []).append(row.code)
    return {
        row.id: FoundStudy(
            row.id,
            row.code,
            from_json(Study, row.document),
            tuple(filter(None, row.modalities.split("\\"))),
            row.instance_count,
            row.completed_at is not None,
            tuple(series.get(row.id, ())),
            _quality(graded.get(row.id, ())),
            tuple(sorted(hidden.get(row.study_instance_uid, ()))),
        )
        for row in rows
    }


def _quality(rows: Sequence[Any]) -> ImageQuality:
    """As storage.study_quality reads it for one study."""
    checked = next((row for row in rows if row.kind == "check"), None)
    return ImageQuality(
        from_json(Check, checked.document) if checked else None,
        checked.recorded_at if checked else None,
        tuple(
            GradeRecord(from_json(Graded, row.document), row.account, row.organization, row.recorded_at)
            for row in rows
            if row.kind == "grade"
        ),
    )
