"""Mutual recognition: a decision of a treating doctor about one version of a prior report."""

import datetime as dt
import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources


class Decided(StrEnum):
    """What the doctor decided. The words are the contract's."""

    RECOGNISED = "recognised"
    NOT_RECOGNISED = "not-recognised"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a prior result was not reused. `counted`: it counts in the denominator of the recognition rate.

    needs_diagnosis: it stands only beside the code of a diagnosis.
    """

    code: str
    zh: str
    en: str
    counted: bool
    needs_diagnosis: bool = False


@dataclass(frozen=True, slots=True)
class ReasonList:
    """The reasons in force, with the list's version and where it comes from."""

    version: str
    source: str
    reasons: tuple[Reason, ...]

    def find(self, code: str) -> Reason | None:
        return next((reason for reason in self.reasons if reason.code == code), None)


@cache
def reason_list() -> ReasonList:
    """The list in force: data with a version and a source, never constants in code."""
    data = tomllib.loads(resources.files("schemas").joinpath("reasons.toml").read_text(encoding="utf-8"))
    return ReasonList(data["version"], data["source"], tuple(Reason(**reason) for reason in data["reason"]))


@dataclass(frozen=True, slots=True)
class Order:
    """What the doctor was about to order. setting: `outpatient`, `inpatient`, `emergency` or empty.

    diagnosis: code of ICD-10 for which it is ordered; some reasons for repeating need one.
    """

    number: str = ""
    code: str = ""
    display: str = ""
    setting: str = ""
    department: str = ""
    diagnosis: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about `version` of report `report_id`; immutable. A change of mind is a new decision.

    reason: code of the versioned list `reasons_version`; empty when recognised.
    item: code of the catalogue's item that was ordered, advice: the hub's word on it as this doctor was shown it, and
    showing_id where the ledger has it with its evidence; empty and 0 where nothing was shown.
    record_text: what it says in the patient's record; patient_text: what the patient is told. Both Chinese.
    """

    id: int
    report_id: int
    version: int
    patient_id: int
    organization: str
    account: str
    doctor: str
    verdict: Decided
    decided_at: dt.datetime
    reason: str = ""
    reasons_version: str = ""
    comment: str = ""
    order: Order = field(default_factory=Order)
    item: str = ""
    advice: str = ""
    showing_id: int = 0
    record_text: str = ""
    patient_text: str = ""
