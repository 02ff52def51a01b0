"""Times as DICOM (DT, DA, TM) and HL7 v3 (TS) write them, made aware of their zone."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

_TIMESTAMP = re.compile(
    r"^(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:[.,](\d{1,9}))?\s*(?:([+-])(\d{2}):?(\d{2})|(Z))?$"
)


def timestamp(text: str, zone: str) -> dt.datetime | None:
    """`YYYYMMDD[HHMM[SS[.F]]][±ZZZZ]`; what comes without an offset is local to `zone`. None for what is no such time.

    A year or a month alone is no moment of an examination.
    """
    match = _TIMESTAMP.match(text.strip().replace("-", "", 2) if "T" in text else text.strip())
    if match is None or match[3] is None:
        return None
    numbers = [int(match[i] or 0) for i in range(1, 7)]
    micro = int((match[7] or "0")[:6].ljust(6, "0"))
    # Second 60 is allowed by both standards; datetime has no leap seconds.
    numbers[5] = min(numbers[5], 59)
    try:
        return dt.datetime(*numbers[:6], micro, tzinfo=_offset(match) or ZoneInfo(zone))  # type: ignore[misc,arg-type]
    except ValueError:
        return None


def _offset(match: re.Match[str]) -> dt.tzinfo | None:
    if match[11]:
        return dt.UTC
    if not match[8]:
        return None
    sign = -1 if match[8] == "-" else 1
    return dt.timezone(sign * dt.timedelta(hours=int(match[9]), minutes=int(match[10])))


def date(text: str) -> dt.date | None:
    """The day with which `text` (`YYYYMMDD…`, `YYYY-MM-DD`) begins; None for what is no such day."""
    digits = text.strip().replace("-", "")[:8]
    try:
        return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if digits.isdigit() else None
    except ValueError:
        return None
