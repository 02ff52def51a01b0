"""Times as systems show them to people, in the notation of HL7 v2; empty for what is no such time."""

import re

_CLOCK = (
    r"(?:\s*(?P<half>上午|下午|AM|PM)?\s*(?P<hour>\d{1,2})\s*[:：时点]\s*(?P<minute>\d{1,2})分?"
    r"(?:[:：]?(?P<second>\d{1,2})(?:\.\d+)?秒?)?\s*(?P<english>AM|PM)?)?"
)
_DISPLAYED = re.compile(r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?" + _CLOCK, re.IGNORECASE)
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4})" + _CLOCK, re.IGNORECASE)
_NOON = 12


def as_displayed(text: str) -> str:
    """`2026/1/5 8:05:00`, `2026年1月5日 下午3:05`: the year first, nothing padded."""
    return _written(_DISPLAYED.fullmatch(text.strip()))


def day_first(text: str) -> str:
    """`05/01/2026 08:05` is the fifth of January."""
    return _written(_DAY_FIRST.fullmatch(text.strip()))


def _written(found: "re.Match[str] | None") -> str:
    if not found:
        return ""
    date = f"{found['year']}{int(found['month']):02d}{int(found['day']):02d}"
    if found["hour"] is None:
        return date
    hour = int(found["hour"])
    half = (found["half"] or found["english"] or "").upper()
    if half in ("下午", "PM") and hour < _NOON:
        hour += _NOON
    elif half in ("上午", "AM") and hour == _NOON:
        hour = 0
    return f"{date}{hour:02d}{int(found['minute']):02d}" + (f"{int(found['second']):02d}" if found["second"] else "")
