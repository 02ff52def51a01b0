"""OBX to Observation. Source: HL7 v2 chapter 7.4.2."""

import datetime as dt
from dataclasses import dataclass

from schemas.codes import Coding
from schemas.observation import Observation

from . import statuses
from .coded import coding
from .context import Context
from .er7 import Segment
from .groups import Result
from .values import unit_of, value

# Arrows and words that analysers print, in terms of table 0078.
_INTERPRETATIONS = {
    "↑": "H",
    "↑↑": "HH",
    "↓": "L",
    "↓↓": "LL",
    "偏高": "H",
    "偏低": "L",
    "高": "H",
    "低": "L",
    "正常": "N",
    "异常": "A",
    "阳性": "POS",
    "阴性": "NEG",
    "危急值": "AA",
    "危急": "AA",
    "危急值↑": "HH",
    "危急值↓": "LL",
    "危急高": "HH",
    "危急低": "LL",
    "高危急值": "HH",
    "低危急值": "LL",
    "极高": "HH",
    "极低": "LL",
    "耐药": "R",
    "中介": "I",
    "敏感": "S",
    "*": "A",
    "+": "POS",
    "-": "NEG",
}
# By far the most common, and in need of no reading.
_PLAIN = frozenset({"N", "H", "L", "A", "HH", "LL"})
_UNTOLD_RANGES = frozenset({"-", "--", "~"})


def code_of(obx: Segment, index: int, context: Context) -> Coding:
    """OBX-3; the name from OBX-4 where an analyser puts a channel number into OBX-3 and the name there."""
    found = coding(obx[3], context)
    if not found.code:
        context.ledger.flagged(index, 3, "no observation identifier")
        return found
    if not found.display:
        name = context.first(obx, 4)
        if name and not any(c.isdigit() for c in name[:1]):
            return Coding(found.code, name, found.system)
    return found


@dataclass(frozen=True, slots=True)
class Order:
    """What the order says for results that do not say it themselves.

    status: FHIR observation-status. specimen_received_at: the laboratory's clock, None where nobody told.
    """

    status: str
    specimen_received_at: dt.datetime | None


def observation(result: Result, code: Coding, notes: tuple[str, ...], order: Order, context: Context) -> Observation:
    """The result in an OBX."""
    obx, index = result.obx, result.index
    unit = unit_of(obx, context)
    found, sent = value(obx, index, unit, context)
    reference = context.text(obx[7]) if obx[7] else ""
    return Observation(
        code,
        found,
        sub_id=context.token(obx, 4),
        unit=unit[0],
        reference_range="" if reference in _UNTOLD_RANGES else reference,
        interpretation=_interpretation(obx[8], context) if obx[8] else (),
        status=_status(obx, index, order.status, context),
        observed_at=_observed_at(obx, index, order.specimen_received_at, context) if obx[14] else None,
        method=coding(obx[17], context).display if obx[17] else "",
        notes=notes,
        sent=sent,
    )


def _interpretation(raw: str, context: Context) -> tuple[str, ...]:
    if raw in _PLAIN:
        return (raw,)
    codes = (context.text(context.message.delimiters.first(each)) for each in context.repetitions(raw))
    return tuple(dict.fromkeys(_INTERPRETATIONS.get(code, code)[:20] for code in codes if code))


def _status(obx: Segment, index: int, report: str, context: Context) -> str:
    code = obx[11]
    if code in statuses.OBSERVATION:
        return statuses.OBSERVATION[code]
    code = context.first(obx, 11).upper()
    if not code:
        return report
    if code not in statuses.OBSERVATION:
        context.ledger.flagged(index, 11, "result status of an unknown code")
        return "unknown"
    return statuses.OBSERVATION[code]


def _observed_at(obx: Segment, index: int, received: dt.datetime | None, context: Context) -> dt.datetime | None:
    found = context.moment(obx, 14, index)
    # OBX-14 should be the patient's clock. Later than the specimen's arrival in the laboratory, it is the analyser's.
    return None if found and received and found > received else found
