"""What a reader has found in a file of one recording, as the reading that the hub takes."""

import dataclasses
import datetime as dt
from dataclasses import dataclass

from schemas.delivery import Accounting, Origin, Reading
from schemas.ecg import EcgRecording
from schemas.report import Report, ReportCategory, ReportStatus

from . import identity
from .content import digest
from .measurement_codes import EKG_STUDY
from .measurements import Measured, observations
from .statements import clean, confirmed


@dataclass(frozen=True, slots=True)
class Findings:
    """statements: in their order. final: a person has confirmed it, whatever the statements say.

    device: what tells apart carts that record at the same moment; with it the same recording sent again, confirmed by
    now, is a version of the same report. kept: what of the file is left to its original bytes, a line each.
    """

    told: identity.Told
    recording: EcgRecording
    flags: tuple[str, ...] = ()
    started_at: dt.datetime | None = None
    statements: tuple[str, ...] = ()
    measured: tuple[Measured, ...] = ()
    final: bool = False
    performers: tuple[str, ...] = ()
    issued_at: dt.datetime | None = None
    placer_order_number: str = ""
    device: str = ""
    kept: tuple[str, ...] = ()


def reading(found: Findings, data: bytes, origin: Origin) -> Reading:
    """One report with its recording. Raises InvalidPayload and IdentityConflict where it is nobody's."""
    patient = identity.patient(found.told, origin)
    statements = clean(found.statements)
    known = found.started_at and found.device
    final = found.final or confirmed(statements)
    report = Report(
        key=f"{found.started_at}|{patient.key.value}|{found.device if known else digest(data)[:16]}",
        category=ReportCategory.ECG,
        status=ReportStatus.FINAL if final else ReportStatus.PRELIMINARY,
        code=EKG_STUDY,
        patient=patient,
        organization=origin.source.organization,
        observed_at=found.started_at,
        issued_at=found.issued_at,
        placer_order_number=found.placer_order_number,
        performers=clean(found.performers) if final else (),
        conclusion="\n".join(statements),
        observations=observations(found.measured),
        flags=found.flags,
    )
    recording = dataclasses.replace(found.recording, started_at=found.started_at)
    return Reading((report,), recordings=((report.key, recording),), accounting=_accounting(found))


def _accounting(found: Findings) -> Accounting:
    mapped = len(found.recording.leads) + len(found.measured) + len(found.statements)
    kept, flagged = len(found.kept), len(found.flags)
    return Accounting(mapped + kept + flagged, mapped, kept, flagged, found.flags + found.kept)
