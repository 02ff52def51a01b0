"""WFDB records: a header and the signal files that it names, together in one zip."""

import io
import zipfile
import zlib
from itertools import groupby
from typing import BinaryIO
from zoneinfo import ZoneInfo

import numpy as np

from schemas.delivery import Origin, Reading
from schemas.ecg import NO_SAMPLE_UV
from schemas.faults import InvalidPayload, UnsupportedPayload

from . import findings, groups, identity, wfdb_header
from .content import whole
from .groups import Group
from .leads import NAMES_BY_CODE, Samples, lead_name, microvolts
from .texts import text
from .wfdb_header import Header, Signal
from .wfdb_samples import DIFFERENCES, Stored, absent, rows, unpacked

_MAX_BYTES = 32 * 1024 * 1024
_MAX_FILES = 64
_ZIP = b"PK\3\4"
_OURS = (".hea", ".dat", ".mat", ".xyz")
_KNOWN = frozenset(NAMES_BY_CODE.values())
_UNITS_UV = {"mv": 1e3, "uv": 1.0, "µv": 1.0, "μv": 1.0, "v": 1e6}
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError)


def looks_like(head: bytes) -> bool:
    """Whether it is a header, or a zip whose first file is one of a record's."""
    if head.startswith(_ZIP):
        name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        return name.lower().endswith(tuple(ending.encode() for ending in _OURS))
    return b"\0" not in head and wfdb_header.looks_like(head.decode("latin-1"))


def read(content: BinaryIO, origin: Origin) -> Reading:
    """One report with its recording. Raises InvalidPayload, UnsupportedPayload or IdentityConflict."""
    data = whole(content, _MAX_BYTES)
    files = _files(data) if data.startswith(_ZIP) else {"record.hea": data}
    headers = [name for name in files if name.endswith(".hea")]
    if len(headers) > 1:
        raise UnsupportedPayload("expected one record, found several: send each in a zip of its own", where="zip")
    if not headers:
        raise InvalidPayload("the header (.hea) is missing beside the signals: upload both together", where="zip")
    head = wfdb_header.header(text(files[headers[0]], origin.source.charset))
    found, flags = groups.recording(_groups(head, files))
    started = head.started.replace(tzinfo=ZoneInfo(origin.source.time_zone)) if head.started else None
    hint = origin.hint
    return findings.reading(
        findings.Findings(
            told=identity.Told(sex=_sex(head), where="upload: a WFDB record does not say whose it is"),
            recording=found,
            flags=(*flags, *(("gain-assumed",) if any(signal.assumed for signal in head.signals) else ())),
            started_at=started or (hint.observed_at if hint else None),
            kept=(f"comments: kept in the original ({len(head.comments)})",) if head.comments else (),
        ),
        data,
        origin,
    )


def _files(data: bytes) -> dict[str, bytes]:
    """Files of a zip by their bare names, lower case; bounded before anything is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = [each for each in archive.infolist() if not each.is_dir() and "__MACOSX" not in each.filename]
            if len(inside) > _MAX_FILES or sum(each.file_size for each in inside) > _MAX_BYTES:
                raise InvalidPayload(f"expected at most {_MAX_FILES} files of {_MAX_BYTES} bytes together", where="zip")
            return {each.filename.rpartition("/")[2].lower(): _unzipped(archive, each) for each in inside}
    except _BROKEN as error:
        raise InvalidPayload("the zip is damaged, or locked with a password", where="zip") from error


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as file:
        # To the end: only there is the checksum compared.
        content = file.read(info.file_size)
        if file.read(1):
            raise zipfile.BadZipFile
        return content


def _groups(head: Header, files: dict[str, bytes]) -> list[Group]:
    by_rate: dict[float, Group] = {}
    left_out = []
    for name, together in groupby(head.signals, key=lambda signal: signal.file):
        signals = list(together)
        content = files.get(name.lower())
        if content is None:
            raise InvalidPayload(
                "a signal file that the header names is missing: upload header and signals together, or in one zip",
                where=f"signal file of {len(signals)} signals",
            )
        for signal, stored in zip(signals, _stored(signals, content, head.frames), strict=True):
            lead = lead_name(signal.label[1:] if signal.label.lower() in {"vx", "vy", "vz"} else signal.label)
            rate = round(head.rate_hz * signal.per_frame, 6)
            group = by_rate.setdefault(rate, Group(True, rate, 0.0, {}))
            if lead not in _KNOWN or signal.unit.lower() not in _UNITS_UV or lead in group.leads:
                left_out.append(signal.label)
            else:
                group.leads[lead] = _microvolts(signal, stored)
    return [Group(g.original, g.rate_hz, g.offset_s, g.leads, tuple(left_out)) for g in by_rate.values() if g.leads]


def _stored(signals: list[Signal], content: bytes, frames: int) -> list[Stored]:
    first = signals[0]
    if {(s.format, s.offset) for s in signals} != {(first.format, first.offset)}:
        raise InvalidPayload("signals of one file are all of one format", where="header")
    where = f"signal file in format {first.format}"
    found = rows(unpacked(content[first.offset :], first.format, where), [s.per_frame for s in signals], frames, where)
    if first.format == DIFFERENCES:
        found = [np.cumsum(row) + (s.first or 0) for s, row in zip(signals, found, strict=True)]
    for signal, row in zip(signals, found, strict=True):
        # Sixteen bits of the sum of all samples: of other bytes than those that were recorded nothing is shown.
        if signal.checksum is not None and frames and (int(row.sum()) - signal.checksum) % (1 << 16):
            raise InvalidPayload("the checksum of a signal is wrong: its samples were damaged", where=where)
    return found


def _microvolts(signal: Signal, stored: Stored) -> Samples:
    nothing = absent(signal.format)
    gap = stored == nothing if nothing is not None else np.zeros(len(stored), bool)
    volts = np.where(gap, 0.0, (stored - signal.baseline) / signal.gain * _UNITS_UV[signal.unit.lower()])
    return np.where(gap, NO_SAMPLE_UV, microvolts(volts, signal.label)).astype(np.int32)


def _sex(head: Header) -> str:
    told = (comment.partition(":") for comment in head.comments)
    return next((value.strip() for name, _, value in told if name.strip().lower() == "sex"), "")
