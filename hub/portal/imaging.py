"""What the image viewer needs to know of a study: its series, and the address of each frame."""

import json
from dataclasses import dataclass

from schemas.report import SUPPLEMENT, WITHDRAWN, Report, ReportCategory, ReportCriteria, ReportRecord
from schemas.study import InstanceRecord, SeriesRecord, StudyCriteria, StudyRecord

from .i18n import N_
from .session import Visit

# Window presets of chest and body CT in Hounsfield units: msgid, centre, width. First the image's own.
CT_WINDOWS = (
    (N_("As stored"), "", ""),
    (N_("Lung"), -600, 1500),
    (N_("Soft tissue"), 40, 400),
    (N_("Brain"), 40, 80),
    (N_("Bone"), 400, 1800),
)
PICTURELESS = frozenset({"SR", "PR", "KO", "SEG", "RTSTRUCT", "RTPLAN", "ECG", "DOC", "REG"})


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A series with the addresses of its frames in slice order, as JSON."""

    record: SeriesRecord
    frames: str
    count: int
    thumbnail: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """What a study shows; `study` is None where only a written report came and no image yet."""

    study: StudyRecord | None
    series: tuple[SeriesView, ...]
    windows: tuple[tuple[str, object, object], ...]


def viewer(visit: Visit, record: ReportRecord) -> Viewer | None:
    """The images of a report; None for a report that speaks of no study."""
    uid = record.report.study_instance_uid
    if not uid:
        return None
    found = visit.verbs.query.studies(visit.disclosure, StudyCriteria(study_instance_uids=(uid,)))
    if not found.items:
        return Viewer(None, (), ())
    instances = visit.verbs.query.instances(visit.disclosure, uid)
    series = tuple(
        _series(s, instances)
        for s in visit.verbs.query.series(visit.disclosure, uid)
        if s.series.modality not in PICTURELESS
    )
    windows = CT_WINDOWS if "CT" in found.items[0].modalities else CT_WINDOWS[:1]
    return Viewer(found.items[0], series, windows)


def readings(visit: Visit, record: ReportRecord) -> tuple[ReportRecord, ...]:
    """Where a record is a study's images alone: what doctors, mostly of another institution, wrote of that study."""
    report = record.report
    if report.category is not ReportCategory.IMAGING or not report.study_instance_uid:
        return ()
    if _written(report):
        return ()
    criteria = ReportCriteria(patient_id=record.patient_id, study_instance_uid=report.study_instance_uid)
    found = visit.verbs.query.reports(visit.disclosure, criteria).items
    return tuple(r for r in found if _written(r.report) and r.report.status not in WITHDRAWN)


def _written(report: Report) -> bool:
    """Whether a doctor's words are in it: as text, or as a document that holds them."""
    return bool(report.conclusion or report.findings or report.attachments) and SUPPLEMENT not in report.flags


def _series(record: SeriesRecord, instances: tuple[InstanceRecord, ...]) -> SeriesView:
    uid = record.series.series_instance_uid
    mine = sorted((i for i in instances if i.series_instance_uid == uid), key=lambda i: (i.instance_number or 0, i.id))
    base = f"/dicomweb/studies/{record.study_instance_uid}/series/{uid}"
    frames = [frame for i in mine for frame in _frames(base, i)]
    return SeriesView(record, json.dumps(frames), len(frames), f"{base}/thumbnail")


def _frames(base: str, instance: InstanceRecord) -> list[str]:
    address = f"{base}/instances/{instance.sop_instance_uid}"
    if instance.frames <= 1:
        return [f"{address}/rendered"]
    return [f"{address}/frames/{number}/rendered" for number in range(1, instance.frames + 1)]
