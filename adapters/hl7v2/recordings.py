"""ECG recordings inside result messages: documents (OBX of type ED) that are a cart's file or a DICOM waveform."""

import hashlib
import io
from dataclasses import replace
from functools import partial

from adapters import dicom, ecg
from adapters.ecg import picture
from adapters.ecg.identity import contradiction
from schemas.delivery import Format, PatientHint, Read, Reading
from schemas.ecg import EcgRecording
from schemas.faults import Fault, IdentityConflict
from schemas.report import Attachment, Report, ReportCategory

from .context import Context

# Whose a document is the message says, and a document holds no recording.
_DOCUMENTS = (Format.PDF, Format.PICTURE)
_READERS: dict[Format, Read] = {
    kind: read for kind, read in {**dicom.ADAPTER.readers, **ecg.ADAPTER.readers}.items() if kind not in _DOCUMENTS
}
_SNIFFERS = {**dicom.ADAPTER.sniffers, **ecg.ADAPTER.sniffers}
_HEAD = 4096
_UNREADABLE = "recording-unreadable"
_DAMAGED = "picture-unreadable"

Recordings = tuple[tuple[str, EcgRecording], ...]


def with_recordings(reports: list[Report], context: Context) -> tuple[tuple[Report, ...], Recordings]:
    """The reports, those with a recording among their documents as ECGs with a waveform; and the recordings.

    What the message says goes before what the file says. A file that cannot be read stays a document, flagged.
    Raises IdentityConflict where the file is another patient's than the message.
    """
    if not context.parts:
        return tuple(reports), ()
    contents = {hashlib.sha256(part).hexdigest(): part for part in context.parts}
    told: list[Report] = []
    recordings: list[tuple[str, EcgRecording]] = []
    for report in map(partial(_without_harm, contents), reports):
        held = [contents[each.digest] for each in report.attachments]
        made, recording = (report, None) if report.category is ReportCategory.IMAGING else _read(report, held, context)
        told.append(made)
        if recording is not None:
            recordings.append((made.key, recording))
    return tuple(told), tuple(recordings)


def _without_harm(contents: dict[str, bytes], report: Report) -> Report:
    """A picture that is damaged, or would fill a browser's memory, is kept and shown to nobody."""
    shown = tuple(map(partial(_harmless, contents), report.attachments))
    return (
        report if shown == report.attachments else replace(report, attachments=shown, flags=(*report.flags, _DAMAGED))
    )


def _harmless(contents: dict[str, bytes], each: Attachment) -> Attachment:
    if not picture.looks_like(contents[each.digest][:_HEAD]):
        return each
    try:
        picture.checked(contents[each.digest])
    except Fault:
        return replace(each, media_type="application/octet-stream")
    return each


def _read(report: Report, contents: list[bytes], context: Context) -> tuple[Report, EcgRecording | None]:
    """With the first recording that can be read; of a report of one examination there is one."""
    unreadable = False
    for content in contents:
        kind = next((kind for kind in _READERS if _SNIFFERS[kind](content[:_HEAD])), None)
        if kind is None:
            continue
        hint = PatientHint(report.patient, ReportCategory.ECG, observed_at=report.observed_at)
        try:
            found = _READERS[kind](io.BytesIO(content), replace(context.origin, hint=hint))
        except IdentityConflict:
            raise
        except Fault:
            unreadable = True
            continue
        if found.recordings:
            return _united(report, found), found.recordings[0][1]
    return (replace(report, flags=(*report.flags, _UNREADABLE)) if unreadable else report), None


def _united(report: Report, found: Reading) -> Report:
    file = found.reports[0]
    if conflict := contradiction(file.patient, report.patient):
        raise IdentityConflict(f"the message names another {conflict} than the recording in it", where="OBX-5")
    flags = dict.fromkeys((*report.flags, *file.flags))
    if file.observed_at:
        flags.pop("observed-at-missing" if report.observed_at is None else "", None)
    flags.pop("no-waveform", None)
    return replace(
        report,
        category=ReportCategory.ECG,
        observed_at=report.observed_at or file.observed_at,
        observations=report.observations or file.observations,
        conclusion=report.conclusion or file.conclusion,
        flags=tuple(flags),
    )
