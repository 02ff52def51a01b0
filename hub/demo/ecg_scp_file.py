"""An examination as an SCP-ECG record. Source: EN 1064: sections 0, 1, 3, 6 (amplitudes, not compressed), 7 and 8."""

import binascii
import datetime as dt
import struct

import numpy as np

from schemas.ecg import LEADS
from schemas.patient import Sex

from .ecg_examination import MANUFACTURER, MODEL, Examination

_LEAD_NUMBERS = dict(zip(LEADS, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True))
_PROTOCOL = 20
_GB_LANGUAGE = 0x27
_UNKNOWN = 29999
_ALL_SIMULTANEOUS = 0x04


def record(examination: Examination) -> bytes:
    """A complete record; texts in GB 18030, declared as the standard's code for Chinese."""
    bodies = {
        1: _header(examination),
        3: _leads(examination),
        6: _samples(examination),
        7: _measurements(examination),
        8: _statements(examination),
    }
    table = b""
    at = 7 + 16 + 12 * 10
    sections = []
    for number in range(12):
        body = bodies.get(number, b"")
        length = 16 + len(body) if body else 0
        if number == 0:
            length = 16 + 12 * 10
        table += struct.pack("<HII", number, length, 7 if number == 0 else at if length else 0)
        if body:
            sections.append(_section(number, body))
            at += length
    content = _section(0, table) + b"".join(sections)
    sized = struct.pack("<I", 6 + len(content)) + content
    return _checked(sized)


def _checked(content: bytes) -> bytes:
    return struct.pack("<H", binascii.crc_hqx(content, 0xFFFF)) + content


def _section(number: int, body: bytes) -> bytes:
    reserved = b"SCPECG" if number == 0 else b"\0" * 6
    return _checked(struct.pack("<HIBB6s", number, 16 + len(body), _PROTOCOL, _PROTOCOL, reserved) + body)


def _padded(body: bytes) -> bytes:
    """Sections begin at even offsets."""
    return body + b"\0" * (len(body) % 2)


def _tag(number: int, value: bytes) -> bytes:
    return struct.pack("<BH", number, len(value)) + value


def _text(text: str) -> bytes:
    return text.encode("gb18030") + b"\0"


def _header(examination: Examination) -> bytes:
    moment = examination.observed_at
    born = examination.birth_date
    sex = {Sex.MALE: 1, Sex.FEMALE: 2}.get(examination.sex, 9)
    offset = moment.utcoffset() or dt.timedelta()
    body = b"".join(
        (
            _tag(0, _text(examination.name)),
            _tag(2, _text(examination.patient_id)),
            _tag(5, struct.pack("<HBB", born.year, born.month, born.day)),
            _tag(8, bytes([sex])),
            _tag(14, _machine()),
            _tag(21, _text(examination.confirmed_by)) if examination.confirmed_by else b"",
            _tag(25, struct.pack("<HBB", moment.year, moment.month, moment.day)),
            _tag(26, bytes([moment.hour, moment.minute, moment.second])),
            _tag(34, struct.pack("<hH", round(offset.total_seconds() / 60), 0) + b"\0"),
            _tag(255, b""),
        )
    )
    return _padded(body)


def _machine() -> bytes:
    """Tag 14: numbers, model, protocol, language, then texts (programs, serial number, software, maker)."""
    fixed = struct.pack(
        "<HHHBB6sBBBBBB", 0, 0, 0, 0, 255, MODEL[:5].encode().ljust(6, b"\0"), _PROTOCOL, 0xA0, _GB_LANGUAGE, 0xD0, 1, 0
    )
    texts = b"1.0\0" + b"\0" * 4 + MANUFACTURER.encode() + b"\0"
    return fixed.ljust(35, b"\0") + bytes([4]) + texts


def _leads(examination: Examination) -> bytes:
    recording = examination.signal.recording
    count = len(recording.leads)
    rows = (struct.pack("<IIB", 1, recording.samples_uv.shape[1], _LEAD_NUMBERS[lead]) for lead in recording.leads)
    return _padded(bytes([count, _ALL_SIMULTANEOUS | count << 3]) + b"".join(rows))


def _samples(examination: Examination) -> bytes:
    """Amplitudes of one microvolt (1000 nV)."""
    recording = examination.signal.recording
    rows = [samples.astype(np.dtype("<i2")).tobytes() for samples in recording.samples_uv]
    head = struct.pack("<HHBB", 1000, round(1_000_000 / recording.sampling_rate_hz), 0, 0)
    return head + struct.pack(f"<{len(rows)}H", *map(len, rows)) + b"".join(rows)


def _measurements(examination: Examination) -> bytes:
    measured = examination.signal.measurements
    onset = 400
    p_onset = _UNKNOWN if measured.pr_ms is None else onset - measured.pr_ms
    block = struct.pack("<5H", p_onset, _UNKNOWN, onset, onset + measured.qrs_ms, onset + measured.qt_ms)
    block += struct.pack("<3h", _UNKNOWN, measured.axis_deg, _UNKNOWN)
    head = struct.pack("<BBHH", 1, 0, round(60000 / measured.heart_rate), _UNKNOWN)
    rates = struct.pack("<HBHHHB", 1, 0, measured.heart_rate, _UNKNOWN, measured.qtc_ms, 1)
    return _padded(head + block + rates + struct.pack("<H", 0))


def _statements(examination: Examination) -> bytes:
    moment = examination.observed_at
    state = 1 if examination.confirmed_by else 0
    stamp = struct.pack("<HBBBBB", moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    lines = [_text(line) for line in examination.statements]
    rows = (struct.pack("<BH", number, len(line)) + line for number, line in enumerate(lines, start=1))
    return _padded(bytes([state]) + stamp + bytes([len(lines)]) + b"".join(rows))
