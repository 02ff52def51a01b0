"""The index of single results; their values stay in the report versions that said them."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select

from schemas.codes import LOINC, Coding
from schemas.disclosure import Disclosure
from schemas.documents import from_json
from schemas.faults import NotFound
from schemas.mapping import Concepts
from schemas.observation import WITHDRAWN, Observation, ObservationCriteria, ObservationRecord, Slot, slots
from schemas.paging import Page
from schemas.report import WITHDRAWN as WITHDRAWN_REPORT
from schemas.report import Report, ReportRecord

from . import tables as t
from .mappings import concepts
from .reports import scope
from .statement import Statement

_ADD = Statement(t.observation.insert())
_AGAIN = Statement(
    t.observation.update().where(t.observation.c.id == bindparam("known")).values(version=bindparam("version"))
)


def put_observations(
    tx: Connection, report_id: int, version: int, report: Report, *, patient_id: int, observed_at: dt.datetime
) -> None:
    """Indexes the observations of a report's newest version; those that it no longer has keep their earlier version."""
    known = {} if version == 1 else _known_ids(tx, report_id)
    new, again = [], []
    for slot, observation in slots(report.observations):
        at = observation.observed_at or observed_at
        if slot in known:
            again.append(known[slot])
        else:
            new.append(_row(report_id, patient_id, slot, version, at))
    _ADD.many(tx, new)
    _AGAIN.many(tx, [{"known": known_id, "version": version} for known_id in again])


def _row(report_id: int, patient_id: int, slot: Slot, version: int, at: dt.datetime) -> dict[str, object]:
    code, system, sub_id, number = slot
    return {
        "report_id": report_id,
        "patient_id": patient_id,
        "code": code,
        "code_system": system,
        "sub_id": sub_id,
        "slot": number,
        "version": version,
        "observed_at": at,
    }


def _known_ids(tx: Connection, report_id: int) -> dict[Slot, int]:
    rows = tx.execute(select(t.observation).where(t.observation.c.report_id == report_id))
    return {(row.code, row.code_system, row.sub_id, row.slot): row.id for row in rows}


def _query() -> Select[Any]:
    return (
        select(
            t.observation,
            t.patient.c.person_id,
            t.organization.c.code.label("organization"),
            t.report.c.category,
            t.report.c.version.label("current_version"),
            t.report_version.c.version.label("document_version"),
            t.report_version.c.recorded_at,
            t.report_version.c.document,
        )
        .join(t.report, t.report.c.id == t.observation.c.report_id)
        .join(t.report_version, t.report_version.c.report_id == t.report.c.id)
        .join(t.patient, t.patient.c.id == t.observation.c.patient_id)
        .join(t.organization, t.organization.c.id == t.report.c.organization_id)
    )


def _records(rows: Iterable[Any], known: Concepts) -> Iterator[ObservationRecord]:
    """One record a row; rows whose report version does not have the observation are left out."""
    parsed: dict[tuple[int, int], tuple[Report, dict[Slot, Observation]]] = {}
    for row in rows:
        key = (row.report_id, row.document_version)
        if key not in parsed:
            report = from_json(Report, row.document)
            parsed[key] = report, {slot: _as_reported(report, each) for slot, each in slots(report.observations)}
        found = parsed[key][1].get((row.code, row.code_system, row.sub_id, row.slot))
        if found is not None:
            yield ObservationRecord(
                id=row.id,
                version=row.document_version,
                report_id=row.report_id,
                patient_id=row.person_id,
                organization=row.organization,
                observed_at=found.observed_at or row.observed_at,
                recorded_at=row.recorded_at,
                observation=found,
                category=row.category,
                current=row.document_version == row.current_version,
                concept=known.of(found.code),
                unit_code=known.unit(row.organization, found.unit) if found.unit else "",
            )


def _as_reported(report: Report, observation: Observation) -> Observation:
    """Senders withdraw a report and leave its results marked final: what they stand in is withdrawn, so are they."""
    if report.status not in WITHDRAWN_REPORT or observation.status in WITHDRAWN:
        return observation
    return replace(observation, status=report.status.value)


def _of_code(criteria: ObservationCriteria, known: Concepts) -> Iterator[Any]:
    """The code that was asked, and every code that stands for the same."""
    column = t.observation.c
    by_system: dict[str, set[str]] = {}
    for system, code in known.codes_of(Coding(criteria.code, system=criteria.code_system)):
        by_system.setdefault(system, set()).add(code)
    # Apart from the pairs, because it is the codes by which a patient's results are indexed.
    yield column.code.in_(sorted({code for codes in by_system.values() for code in codes}))
    yield or_(
        *(
            and_(column.code.in_(sorted(codes)), *([column.code_system == system] if system else []))
            for system, codes in by_system.items()
        )
    )
    if LOINC not in by_system and "" not in by_system:
        yield t.OWN_CODE  # says it in the words of the index


def _matches(criteria: ObservationCriteria, known: Concepts) -> list[Any]:
    column = t.observation.c
    wanted: list[Any] = []
    if criteria.ids:
        wanted.append(column.id.in_(criteria.ids))
    if criteria.patient_id is not None:
        members = select(t.patient.c.id).where(t.patient.c.person_id == criteria.patient_id)
        wanted.append(column.patient_id.in_(members))
    if criteria.report_id is not None:
        wanted.append(column.report_id == criteria.report_id)
    if criteria.code:
        wanted.extend(_of_code(criteria, known))
    if criteria.category:
        wanted.append(t.report.c.category == criteria.category)
    if criteria.since:
        wanted.append(column.observed_at >= criteria.since)
    if criteria.until:
        wanted.append(column.observed_at < criteria.until)
    return wanted


def _search(disclosure: Disclosure, criteria: ObservationCriteria, known: Concepts) -> Select[Any]:
    current = and_(t.report_version.c.version == t.report.c.version, t.observation.c.version == t.report.c.version)
    return _query().where(current, *_matches(criteria, known), *scope(disclosure))


def search(tx: Connection, disclosure: Disclosure, criteria: ObservationCriteria) -> Page[ObservationRecord]:
    """Observations of current report versions, by the patient's clock; without what a later version took back."""
    known = concepts(tx)
    query = _search(disclosure, criteria, known)
    total = tx.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = (t.observation.c.observed_at.desc(), t.observation.c.id)
    if not criteria.newest_first:
        order = (t.observation.c.observed_at.asc(), t.observation.c.id)
    rows = tx.execute(query.order_by(*order).limit(criteria.limit).offset(criteria.offset))
    return Page(tuple(_records(rows, known)), total, criteria.offset)


def latest(tx: Connection, disclosure: Disclosure, criteria: ObservationCriteria) -> tuple[ObservationRecord, ...]:
    """Some of the results that match, those that arrived last, without counting the others."""
    known = concepts(tx)
    query = _search(disclosure, criteria, known).order_by(t.observation.c.id.desc()).limit(criteria.limit)
    return tuple(_records(tx.execute(query), known))


def count_of(tx: Connection, system: str, code: str, *, at_most: int) -> int:
    """How many results lie under a source's own code, counted no further than `at_most`."""
    column = t.observation.c
    found = select(column.id).where(column.code_system == system, column.code == code, t.OWN_CODE).limit(at_most)
    return int(tx.scalar(select(func.count()).select_from(found.subquery())) or 0)


def versions(tx: Connection, disclosure: Disclosure, observation_id: int) -> tuple[ObservationRecord, ...]:
    """The observation in every report version that has it, newest first. Raises NotFound."""
    query = _query().where(t.observation.c.id == observation_id, *scope(disclosure))
    found = tuple(_records(tx.execute(query.order_by(t.report_version.c.version.desc())), concepts(tx)))
    if not found:
        raise NotFound("no such observation", where="observation")
    return found


def with_ids(tx: Connection, records: Iterable[ReportRecord]) -> tuple[ReportRecord, ...]:
    """The records, those of current versions with the ids of their observations."""
    records = tuple(records)
    current = [record.id for record in records if record.current and record.report.observations]
    ids: dict[int, dict[Slot, int]] = {}
    for row in tx.execute(select(t.observation).where(t.observation.c.report_id.in_(current))):
        ids.setdefault(row.report_id, {})[(row.code, row.code_system, row.sub_id, row.slot)] = row.id
    return tuple(
        replace(record, observation_ids=tuple(ids[record.id][slot] for slot, _ in slots(record.report.observations)))
        if record.current and record.id in ids
        else record
        for record in records
    )
