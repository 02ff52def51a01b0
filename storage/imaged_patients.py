"""Studies as peers on the DICOM network ask for them: by patient, and with what is in them."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from schemas.disclosure import Disclosure
from schemas.faults import Conflict
from schemas.identifiers import authority_system
from schemas.network import Counts, Match, Selection
from schemas.study import StudyCriteria, StudyRecord

from . import studies, study_matching
from . import tables as t
from .reports import scope

_MOST_STUDIES = 10_000


def search(
    tx: Connection, disclosure: Disclosure, criteria: StudyCriteria, *, after: int | None, limit: int
) -> list[tuple[int, Match]]:
    """Patients who have a study that matches, newest first, each with their newest such study and how much they have.

    A patient is who one institution knows under one number. after: the place of the last one told, as it stands
    beside each.
    """
    place = func.max(t.study.c.id)
    query = (
        select(
            place.label("place"),
            func.count().label("studies"),
            func.sum(t.study.c.series_count).label("series"),
            func.sum(t.study.c.instance_count).label("instances"),
        )
        .join(t.patient, t.patient.c.id == t.study.c.patient_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(*study_matching.conditions(disclosure, criteria))
        .group_by(t.study.c.patient_id)
        .order_by(place.desc())
        .limit(limit)
    )
    rows = tx.execute(query if after is None else query.having(place < after)).all()
    return [
        (
            row.place,
            Match(studies.study(tx, disclosure, row.place), counts=Counts(row.studies, row.series, row.instances)),
        )
        for row in rows
    ]


def sop_classes(tx: Connection, disclosure: Disclosure, study_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """SOP Classes in Study (0008,0062), of each of these studies."""
    query = (
        select(t.series.c.study_id, t.instance.c.sop_class_uid)
        .join(t.series, t.series.c.id == t.instance.c.series_id)
        .join(t.study, t.study.c.id == t.series.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.series.c.study_id.in_(study_ids), *scope(disclosure))
        .distinct()
        .order_by(t.instance.c.sop_class_uid)
    )
    found: dict[int, tuple[str, ...]] = {}
    for study_id, uid in tx.execute(query):
        found[study_id] = (*found.get(study_id, ()), uid)
    return found


def chosen(tx: Connection, disclosure: Disclosure, selection: Selection) -> tuple[StudyRecord, ...]:
    """The studies that a C-MOVE or C-GET names, or those of the patient whom it names.

    Raises Conflict where several institutions have given that Patient ID to somebody and it does not say whose it is.
    """
    criteria = StudyCriteria(
        study_instance_uids=selection.study_uids, patient_identifier=selection.patient_identifier, limit=_MOST_STUDIES
    )
    if not (selection.study_uids or selection.patient_identifier):
        return ()
    found = studies.search(tx, disclosure, criteria).items
    if selection.issuer:
        system = authority_system(selection.issuer)
        found = tuple(each for each in found if each.study.patient.key.system == system)
    if not selection.study_uids and len({each.patient_id for each in found}) > 1:
        raise Conflict("several patients have this Patient ID; name its issuer", where="(0010,0021)")
    return found
