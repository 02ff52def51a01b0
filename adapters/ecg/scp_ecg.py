"""SCP-ECG records. Source: EN 1064 (ISO 11073-91064)."""

import dataclasses
import struct
from typing import BinaryIO
from zoneinfo import ZoneInfo

from schemas.delivery import Accounting, Origin, Reading
from schemas.faults import InvalidPayload
from schemas.report import Report, ReportCategory, ReportStatus

from . import groups, identity, scp_samples
from .content import digest, whole
from .measurement_codes import EKG_STUDY
from .measurements import observations
from .scp_findings import Interpretation, interpretation, measurements
from .scp_header import MAPPED, Header, header
from .scp_sections import sections
from .statements import clean

_MAX_BYTES = 4 * 1024 * 1024
_READ = frozenset({0, 1, 2, 3, 4, 6, 7, 8})


def looks_like(head: bytes) -> bool:
    """Whether the first bytes of a file are those of an SCP-ECG record: a table of sections that begins with itself."""
    if len(head) < 32:
        return False
    number, length = struct.unpack_from("<HI", head, 8)
    pointer, pointed, index = struct.unpack_from("<HII", head, 22)
    return bool(number == pointer == 0 and index == 7 and pointed == length > 16 and (length - 16) % 10 == 0)


def read(content: BinaryIO, origin: Origin) -> Reading:
    """One report with its recording. Raises InvalidPayload, UnsupportedPayload or IdentityConflict."""
    data = whole(content, _MAX_BYTES)
    found = sections(data)
    if 1 not in found:
        raise InvalidPayload("expected patient and acquisition data", where="section 1")
    head = header(found[1], origin.source.time_zone, origin.source.charset)
    patient = identity.patient(head.told, origin)
    recording, flags = groups.recording([scp_samples.group(found)])
    recording = dataclasses.replace(recording, started_at=head.started_at)
    reading = interpretation(found[8], head.decode) if 8 in found else Interpretation()
    zone = ZoneInfo(origin.source.time_zone)
    report = Report(
        key=f"{head.started_at}|{patient.key.value}|{digest(data)[:16]}",
        category=ReportCategory.ECG,
        status=ReportStatus.FINAL if reading.confirmed else ReportStatus.PRELIMINARY,
        code=EKG_STUDY,
        patient=patient,
        organization=origin.source.organization,
        observed_at=head.started_at,
        issued_at=reading.at.replace(tzinfo=zone) if reading.at else None,
        performers=clean([head.confirming_physician]) if reading.confirmed else (),
        conclusion="\n".join(clean(reading.statements)),
        observations=observations(measurements(found[7]) if 7 in found else ()),
        flags=flags,
    )
    accounting = _accounting(found, head, len(recording.leads), flags)
    return Reading((report,), recordings=((report.key, recording),), accounting=accounting)


def _accounting(found: dict[int, bytes], head: Header, leads: int, flags: tuple[str, ...]) -> Accounting:
    tags = [tag for tag in head.tags if tag not in MAPPED]
    notes = [f"section {number}: kept in the original" for number in sorted(found) if number not in _READ]
    notes += [f"section 1, tag {tag}: kept in the original" for tag in tags]
    total = len(found) + len(head.tags) + leads + len(flags)
    return Accounting(total, total - len(notes) - len(flags), len(notes), len(flags), flags + tuple(notes))
