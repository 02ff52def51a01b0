"""Reads files offline as the hub would, and says what became of every part of them."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hub.measuring import measured
from schemas.accounts import Examine, FieldAccount
from schemas.delivery import Accounting, Channel, Format, Origin, Read, Reading
from schemas.documents import to_json
from schemas.faults import Fault, InvalidPayload, UnsupportedPayload
from schemas.header import Describe
from schemas.organization import Source

_HEAD = 4096
# Stands for any registered sender; identifiers without an authority are shown under this one.
_SOURCE = Source(0, "CHECK", "CHECK", "CHECK")


def check(
    path: Path,
    readers: Mapping[Format, Read],
    sniff: Callable[[bytes], Format],
    examiners: Mapping[Format, Examine] = MappingProxyType({}),
    describers: Mapping[Format, Describe] = MappingProxyType({}),
) -> dict[str, Any]:
    """One object a file, as `dxhub check --json` prints it; see the contract."""
    try:
        kind, reading = _read(path, readers, sniff)
        accounting = _described(path, describers[kind]) if kind in describers else reading.accounting
    except Fault as fault:
        where = {"category": fault.category.value, "text": fault.text, "where": fault.where}
        return {"file": str(path), "ok": False, "fault": where}
    return {
        "file": str(path),
        "ok": True,
        "reports": [json.loads(to_json(report)) for report in reading.reports],
        "patients": [json.loads(to_json(patient)) for patient in reading.patients],
        "accounting": _accounting(accounting) | _fields(path, examiners.get(kind)),
    }


def _described(path: Path, describe: Describe) -> Accounting:
    with path.open("rb") as content:
        return describe(content, _SOURCE.charset).accounting


def _accounting(accounting: Accounting) -> dict[str, Any]:
    return {
        "segments": accounting.total,
        "mapped": accounting.mapped,
        "kept": accounting.kept,
        "flagged": accounting.flagged,
        "notes": list(accounting.notes),
    }


def _fields(path: Path, examine: Examine | None) -> dict[str, Any]:
    """What became of each valued field, where the format's adapter can say."""
    if examine is None:
        return {}
    accounts = examine(path.read_bytes(), _origin()).accounts
    return {
        "fields": [
            _place(number if len(accounts) > 1 else 0, segment.place, field)
            for number, message in enumerate(accounts, 1)
            for segment in message.segments
            for field in segment.fields
        ]
    }


def _place(message: int, segment: str, field: FieldAccount) -> dict[str, Any]:
    told: dict[str, Any] = {"message": message} if message else {}
    told |= {"place": f"{segment}-{field.number}", "fate": field.fate.value}
    if field.became:
        told["became"] = list(field.became)
    return told | ({"reason": field.reason} if field.reason else {})


def _origin() -> Origin:
    return Origin(_SOURCE, Channel.UPLOAD, dt.datetime.now(dt.UTC))


def _measured(reading: Reading) -> Reading:
    """With what the hub would work out of the recordings."""
    waveforms = dict(reading.recordings)
    reports = tuple(measured(each, waveforms[each.key]) if each.key in waveforms else each for each in reading.reports)
    return replace(reading, reports=reports)


def _read(path: Path, readers: Mapping[Format, Read], sniff: Callable[[bytes], Format]) -> tuple[Format, Reading]:
    try:
        with path.open("rb") as content:
            kind = sniff(content.read(_HEAD))
            content.seek(0)
            reader = readers.get(kind)
            if reader is None:
                raise UnsupportedPayload(
                    "expected DICOM, HL7 v2, HL7 aECG, SCP-ECG, PDF or a picture, found none of these"
                )
            return kind, _measured(reader(content, _origin()))
    except OSError as error:
        raise InvalidPayload(f"the file cannot be opened ({error.strerror})") from error
