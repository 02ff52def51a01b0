"""The life of a report: what becomes of one that arrives beside the one that is current.

Rules alone, without storage. Source: HL7 v2 tables 0123 (OBR-25) and 0085 (OBX-11), chapters 4.5.3.22, 4.5.3.25 and
7.4.2.11; which code is which status stands in adapters/hl7v2/statuses.py.
"""

import datetime as dt
from dataclasses import replace
from enum import StrEnum

from schemas.report import Report, ReportStatus


class Step(StrEnum):
    """What becomes of a report that arrives."""

    NEXT = "next"  # is current from now on
    AMEND = "amend"  # the same; called final once more, yet it changes what was final, so it is named amended
    REINSTATE = "reinstate"  # the same where the source's clock puts it behind the withdrawal, else earlier
    EARLIER = "earlier"  # kept in the history, never current


_R, _A, _P, _F, _C, _X = "registered", "partial", "preliminary", "final", "corrected", "withdrawn"
_STATES = {
    ReportStatus.REGISTERED: _R,
    ReportStatus.PARTIAL: _A,
    ReportStatus.PRELIMINARY: _P,
    ReportStatus.FINAL: _F,
    ReportStatus.AMENDED: _C,
    ReportStatus.CORRECTED: _C,
    ReportStatus.CANCELLED: _X,
    ReportStatus.ENTERED_IN_ERROR: _X,
}
# A report that has come less far never replaces one that has come further, whatever the clocks say. Among equals the
# source's clock decides before this table is asked.
_RANKS = {_R: 0, _A: 1, _P: 2, _F: 3, _C: 3, _X: 3}

_N, _AM, _RE, _E = Step.NEXT, Step.AMEND, Step.REINSTATE, Step.EARLIER
# "F: can only be changed with a corrected result" (0085), and yet many systems say F again: hence AMEND.
# The standard is silent about F after X. To show as valid what was withdrawn, perhaps as another patient's, harms more
# than to repeat an examination: hence REINSTATE only by the source's own clock.
_TABLE = {
    # current  \ arrives: _R  _A  _P  _F   _C   _X
    _R: dict(zip(_RANKS, (_N, _N, _N, _N, _N, _N), strict=True)),
    _A: dict(zip(_RANKS, (_E, _N, _N, _N, _N, _N), strict=True)),
    _P: dict(zip(_RANKS, (_E, _E, _N, _N, _N, _N), strict=True)),
    _F: dict(zip(_RANKS, (_E, _E, _E, _AM, _N, _N), strict=True)),
    _C: dict(zip(_RANKS, (_E, _E, _E, _AM, _N, _N), strict=True)),
    _X: dict(zip(_RANKS, (_E, _E, _E, _RE, _RE, _N), strict=True)),
}


def rank(status: ReportStatus) -> int:
    """How far a report of this status has come; 3 where its source stands by it or took it back."""
    return _RANKS[_STATES[status]]


def step(current: Report, said: Report) -> Step:
    """What becomes of `said`: NEXT, AMEND or EARLIER."""
    before = precedes(said, current)
    if before and rank(said.status) == rank(current.status):
        return Step.EARLIER
    found = _TABLE[_STATES[current.status]][_STATES[said.status]]
    if found is not Step.REINSTATE:
        return found
    if before is None:
        return Step.EARLIER
    return Step.AMEND if said.status is ReportStatus.FINAL else Step.NEXT


def precedes(one: Report, other: Report) -> bool | None:
    """Whether the source issued `one` before `other`, or sent it before where it does not say; None: nobody knows."""
    for mine, theirs in ((one.issued_at, other.issued_at), (one.sent_at, other.sent_at)):
        order = _order(mine, theirs)
        if order:
            return order < 0
    return None


def _order(one: dt.datetime | None, other: dt.datetime | None) -> int:
    if one is None or other is None:
        return 0
    if _is_day(one) or _is_day(other):
        # A day without a time was taken as its midnight; it does not precede what happened later on that day.
        one, other = (each.replace(hour=0, minute=0, second=0, microsecond=0) for each in (one, other))
    return (one > other) - (one < other)


def _is_day(at: dt.datetime) -> bool:
    return at.time() == dt.time.min


def repeats(said: Report, earlier: Report) -> bool:
    """Whether both say the same. A final is the same whatever its version was named here, unless it was withdrawn."""
    if said.status is ReportStatus.FINAL and _STATES[earlier.status] in (_F, _C):
        said = replace(said, status=earlier.status)
    return said == earlier
