"""Where the frames of one instance lie: asked for every frame that somebody looks at, hence in one statement."""

from dataclasses import dataclass

from sqlalchemy import Connection, String, and_, bindparam, or_, select

from schemas.disclosure import Disclosure
from schemas.header import Frames

from . import tables as t
from .statement import Statement


@dataclass(frozen=True, slots=True)
class Located:
    """One instance. frames: None where it is still to be found out where they lie. number: of frames, as declared."""

    study_id: int
    person_id: int
    instance_id: int
    digest: str
    transfer_syntax_uid: str
    number: int
    frames: Frames | None


_LOCATED = Statement(
    select(
        t.study.c.id.label("study_id"),
        t.patient.c.person_id,
        t.instance.c.id.label("instance_id"),
        t.instance.c.digest,
        t.instance.c.transfer_syntax_uid,
        t.instance.c.frames.label("number"),
        t.instance_header.c.frames,
    )
    .select_from(t.instance)
    .join(t.series, t.series.c.id == t.instance.c.series_id)
    .join(t.study, t.study.c.id == t.series.c.study_id)
    .join(t.patient, t.patient.c.id == t.study.c.patient_id)
    .join(t.organization, t.organization.c.id == t.study.c.organization_id)
    .outerjoin(
        t.instance_header,
        and_(t.instance_header.c.instance_id == t.instance.c.id, t.instance_header.c.digest == t.instance.c.digest),
    )
    .where(
        t.instance.c.sop_instance_uid == bindparam("sop"),
        t.series.c.series_instance_uid == bindparam("series"),
        t.study.c.study_instance_uid == bindparam("study"),
        t.instance.c.hidden == "",
        or_(bindparam("anywhere", type_=String) == "yes", t.organization.c.code == bindparam("only")),
    )
)


def located(tx: Connection, disclosure: Disclosure, study: str, series: str, sop: str) -> Located | None:
    """The instance under these UIDs; None where there is none, it is hidden, or the asker may not know of it."""
    only = disclosure.only_organization
    row = _LOCATED.first(tx, sop=sop, series=series, study=study, only=only, anywhere="" if only else "yes")
    if row is None:
        return None
    return Located(
        study_id=row.study_id,
        person_id=row.person_id,
        instance_id=row.instance_id,
        digest=row.digest,
        transfer_syntax_uid=row.transfer_syntax_uid,
        number=row.number,
        frames=None if row.frames is None else Frames(bytes(row.frames)),
    )
