"""Reading an ECG: from what a cart says to what a doctor stands by. States and the steps between them."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from .faults import Conflict
from .report import WITHDRAWN, Report, ReportRecord, ReportStatus


class ReadingState(StrEnum):
    """How far the reading of an ECG has come."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    AMENDED = "amended"
    WITHDRAWN = "withdrawn"


class ReadingStep(StrEnum):
    """What a reader may do."""

    CLAIM = "claim"
    RELEASE = "release"
    CONFIRM = "confirm"
    WITHDRAW = "withdraw"


_DONE = {
    ReportStatus.FINAL: ReadingState.CONFIRMED,
    ReportStatus.AMENDED: ReadingState.AMENDED,
    ReportStatus.CORRECTED: ReadingState.AMENDED,
    **dict.fromkeys(WITHDRAWN, ReadingState.WITHDRAWN),
}
_AFTER = {
    (ReadingState.UNCONFIRMED, ReadingStep.CONFIRM): ReadingState.CONFIRMED,
    (ReadingState.CONFIRMED, ReadingStep.CONFIRM): ReadingState.AMENDED,
    (ReadingState.AMENDED, ReadingStep.CONFIRM): ReadingState.AMENDED,
    (ReadingState.UNCONFIRMED, ReadingStep.WITHDRAW): ReadingState.WITHDRAWN,
    (ReadingState.CONFIRMED, ReadingStep.WITHDRAW): ReadingState.WITHDRAWN,
    (ReadingState.AMENDED, ReadingStep.WITHDRAW): ReadingState.WITHDRAWN,
}
STATUS = {
    ReadingState.CONFIRMED: ReportStatus.FINAL,
    ReadingState.AMENDED: ReportStatus.AMENDED,
    ReadingState.WITHDRAWN: ReportStatus.ENTERED_IN_ERROR,
}
# Long enough for a hard tracing, short enough that a reader who was called away holds up nobody.
CLAIM_LASTS = dt.timedelta(minutes=10)


def state_of(report: Report) -> ReadingState:
    """The state that follows from what a report says now."""
    return _DONE.get(report.status, ReadingState.UNCONFIRMED)


def after(state: ReadingState, step: ReadingStep) -> ReadingState:
    """The state behind a step. Raises Conflict where the step cannot be taken; what is withdrawn stays so."""
    if step in (ReadingStep.CLAIM, ReadingStep.RELEASE) and state is not ReadingState.WITHDRAWN:
        return state
    found = _AFTER.get((state, step))
    if found is None:
        raise Conflict("this report was withdrawn; it cannot be read any more", where="report")
    return found


@dataclass(frozen=True, slots=True)
class Claim:
    """Who is reading at this moment, our clock until when."""

    account: str
    name: str
    organization: str
    until: dt.datetime

    def keeps_out(self, account: str, now: dt.datetime) -> bool:
        """Whether somebody else must wait."""
        return self.account != account and now < self.until


@dataclass(frozen=True, slots=True)
class Draft:
    """What a reader says. statements: codes in their order. measured: by LOINC code, those that are not the cart's.

    version: of the report that was on the screen; another one may have come since.
    """

    version: int
    statements: tuple[str, ...] = ()
    text: str = ""
    measured: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadingRecord:
    """An ECG that is read here. rank: of its severity. since: when it came to us.

    later: number of a version that its source sent after a person had confirmed the report; 0 where there is none
    that nobody has looked at.
    """

    report_id: int
    state: ReadingState
    rank: int
    since: dt.datetime
    later: int = 0
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class WaitingEcg:
    """A line of the list: the report as it stands, and how its reading stands."""

    record: ReportRecord
    reading: ReadingRecord
