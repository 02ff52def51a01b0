"""Quality records: whether an institution's item took part in external quality assessment, and passed."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from .catalogue import Scope


class Standing(StrEnum):
    """What external quality assessment said of an institution's item in a period."""

    PASSED = "passed"
    FAILED = "failed"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class QualityRecord:
    """One institution, one item, one method, one period, half open [since, until) in the district's days.

    item: code of the catalogue. method: empty where the record holds for every method.
    scope: how far the mark reaches that follows from it. scheme: who assessed, for example 国家卫健委临检中心.
    Expired is what has no record at the moment of sampling although earlier ones exist.
    """

    organization: str
    item: str
    standing: Standing
    since: dt.date
    until: dt.date
    method: str = ""
    scope: Scope = Scope.DISTRICT
    scheme: str = ""
