"""Headers of WFDB records. Source: https://wfdb.io/spec/header-files.html (header(5) of the WFDB applications)."""

import datetime as dt
import re
from dataclasses import dataclass

from schemas.faults import InvalidPayload, UnsupportedPayload

_MAX_SIGNALS = 64
_RECORD = re.compile(
    r"(?P<name>[^\s/]+)(?P<segments>/\d+)?[ \t]+(?P<signals>\d{1,4})"
    r"(?:[ \t]+(?P<rate>\d{1,9}(?:\.\d{0,9})?)(?:/\S+)?(?:[ \t]+(?P<samples>\d{1,10})"
    r"(?:[ \t]+(?P<time>[\d:.]{1,20})(?:[ \t]+(?P<date>\d{1,2}/\d{1,2}/\d{4}))?)?)?)?\s*"
)
_SIGNAL = re.compile(
    r"(?P<file>\S+)[ \t]+(?P<format>\d{1,4})(?:x(?P<per_frame>\d{1,4}))?"
    r"(?::(?P<skew>\d{1,9}))?(?:\+(?P<offset>\d{1,9}))?"
    r"(?:[ \t]+(?P<gain>-?[\d.]{1,20}(?:[eE][+-]?\d{1,2})?)(?:\((?P<baseline>-?\d{1,10})\))?(?:/(?P<unit>\S+))?"
    r"(?:[ \t]+(?P<bits>\d{1,3})(?:[ \t]+(?P<zero>-?\d{1,10})(?:[ \t]+(?P<first>-?\d{1,10})"
    r"(?:[ \t]+(?P<checksum>-?\d{1,10})(?:[ \t]+\d{1,9}(?:[ \t]+(?P<label>.*))?)?)?)?)?)?)?\s*"
)
_USUAL_RATE_HZ = 250.0
_USUAL_GAIN = 200.0


@dataclass(frozen=True, slots=True)
class Signal:
    """A line of a header. gain: stored units in one `unit`; assumed: it was not told."""

    file: str
    format: int
    per_frame: int
    offset: int
    gain: float
    assumed: bool
    baseline: int
    unit: str
    first: int | None
    checksum: int | None
    label: str


@dataclass(frozen=True, slots=True)
class Header:
    """rate_hz: frames in a second. frames: 0 where not told. started: without a zone. comments: lines after `#`."""

    rate_hz: float
    frames: int
    started: dt.datetime | None
    signals: tuple[Signal, ...]
    comments: tuple[str, ...]


def looks_like(head: str) -> bool:
    """Whether a text begins as a header does: the line of a record, and of its first signal."""
    lines = [line for line in head.splitlines()[:40] if line.strip() and not line.startswith("#")]
    return len(lines) >= 2 and bool(_RECORD.fullmatch(lines[0]) and _SIGNAL.fullmatch(lines[1]))


def header(text: str) -> Header:
    """Raises InvalidPayload, and UnsupportedPayload for records of several segments."""
    comments = tuple(line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("#"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    told = _RECORD.fullmatch(lines[0]) if lines else None
    if told is None:
        raise InvalidPayload("expected a record's name, number of signals and rate", where="header, line 1")
    if told["segments"]:
        raise UnsupportedPayload("a record of several segments is not taken", where="header, line 1")
    number, rate = int(told["signals"]), float(told["rate"] or _USUAL_RATE_HZ)
    if not 1 <= number <= _MAX_SIGNALS or len(lines) < number + 1:
        raise InvalidPayload(f"expected 1 to {_MAX_SIGNALS} signals and a line of each", where="header")
    if not 1 <= rate <= 100_000:
        raise InvalidPayload("expected a sampling rate between 1 and 100000 Hz", where="header, line 1")
    signals = tuple(_signal(line, f"header, signal {n}") for n, line in enumerate(lines[1 : number + 1], 1))
    return Header(rate, int(told["samples"] or 0), _started(told["date"], told["time"]), signals, comments)


def _signal(line: str, where: str) -> Signal:
    told = _SIGNAL.fullmatch(line)
    if told is None:
        raise InvalidPayload("expected a file, a format and a gain", where=where)
    if int(told["skew"] or 0):
        raise UnsupportedPayload("signals that are skewed against each other are not taken", where=where)
    try:
        gain = float(told["gain"] or 0)
    except ValueError as error:
        raise InvalidPayload("expected a gain", where=where) from error
    return Signal(
        file=told["file"].replace("\\", "/").rpartition("/")[2],
        format=int(told["format"]),
        per_frame=max(1, int(told["per_frame"] or 1)),
        offset=int(told["offset"] or 0),
        gain=gain or _USUAL_GAIN,
        assumed=not gain,
        baseline=int(told["baseline"] or told["zero"] or 0),
        unit=told["unit"] or "mV",
        first=int(told["first"]) if told["first"] else None,
        checksum=int(told["checksum"]) if told["checksum"] else None,
        label=(told["label"] or "").strip(),
    )


def _started(date: str | None, time: str | None) -> dt.datetime | None:
    """The day and the time; None where one of them is missing."""
    if not date or not time:
        return None
    try:
        day, month, year = (int(part) for part in date.split("/"))
        hour, minute, second = (float(part) for part in time.split(":"))
        whole = dt.datetime(year, month, day, int(hour), int(minute), int(second))  # noqa: DTZ001 the zone is the source's
        return whole.replace(microsecond=min(999_999, round(second % 1 * 1e6)))
    except (ValueError, OverflowError):
        return None
