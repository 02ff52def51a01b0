"""The ledger of mutual recognition: who opened which version, which advice was shown, what was decided."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class Shown(StrEnum):
    """Where advice was shown."""

    PORTAL = "portal"
    CDS_HOOKS = "cds-hooks"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Showing:
    """Advice about one version of a report, as it was shown to whoever was about to order `item`.

    advice: the word of the verdict (`reusable`, `reusable-with-caution`, `not-suggested`). evidence: the verdict with
    every rule that it rests on, as JSON. order_number: of the order, where the ordering system told it.
    """

    report_id: int
    version: int
    patient_id: int
    item: str
    advice: str
    where: Shown
    evidence: bytes = b""
    order_number: str = ""


@dataclass(frozen=True, slots=True)
class ShowingRecord:
    """A showing as recorded: to which account, acting for which institution, when by our clock."""

    id: int
    showing: Showing
    organization: str
    account: str
    shown_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Opening:
    """Who opened a version of a report for a patient's treatment, and when first that day (UTC)."""

    id: int
    report_id: int
    version: int
    patient_id: int
    organization: str
    account: str
    opened_at: dt.datetime


class Deed(StrEnum):
    """What somebody did with a report, or was told of it."""

    OPENED = "opened"
    ADVISED = "advised"
    DECIDED = "decided"
    TOLD = "told"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a report's ledger. at: our clock. version: of the report, as it was seen, or told of.

    word: of the advice, of the decision, or of the kind of notice. number: of the showing, decision or notice that it
    stands for. reason, remark: of a decision; the remark of an acknowledgement.
    """

    at: dt.datetime
    deed: Deed
    version: int
    organization: str
    account: str
    number: int
    word: str = ""
    item: str = ""
    where: str = ""
    order_number: str = ""
    reason: str = ""
    remark: str = ""
