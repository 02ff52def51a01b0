"""A single result: what was measured, its value, and how it stands to its reference."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from .codes import Coding

# FHIR observation-status of a result that its source took back.
WITHDRAWN = frozenset({"cancelled", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured number. `comparator`: one of `<`, `<=`, `>=`, `>` or empty. `unit`: as sent.

    unit_system: URI of the system that `unit` is a code of (schemas.codes.UCUM); empty where the source named none.
    """

    value: Decimal
    unit: str = ""
    comparator: str = ""
    unit_system: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """One result within a report; (code, sub_id) is its identity there (OBX-3, OBX-4).

    value: a Quantity, a Coding, or the text as sent (a ratio, a word, `***.*`); None where the source sent none.
    interpretation: codes of HL7 table 0078 (`H`, `LL`, `S`, ...). status: FHIR observation-status.
    observed_at: the patient's clock (sampling), aware of its zone; None where the report's own holds.
    """

    code: Coding
    value: Quantity | Coding | str | None
    sub_id: str = ""
    unit: str = ""
    reference_range: str = ""
    interpretation: tuple[str, ...] = ()
    status: str = "final"
    observed_at: dt.datetime | None = None
    method: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObservationRecord:
    """An observation in the current (or asked) version of its report. `category`: the report's.

    current: the report's newest version says it; false for one that a later version left out or said otherwise.
    """

    id: int
    version: int
    report_id: int
    patient_id: int
    organization: str
    observed_at: dt.datetime
    recorded_at: dt.datetime
    observation: Observation
    category: str = ""
    current: bool = True

    @property
    def withdrawn(self) -> bool:
        """Whether the source took it back, alone or with its report."""
        return self.observation.status in WITHDRAWN


@dataclass(frozen=True, slots=True)
class ObservationCriteria:
    """What a search asks. Empty fields do not restrict. Intervals are half open [since, until)."""

    patient_id: int | None = None
    report_id: int | None = None
    code: str = ""
    code_system: str = ""
    category: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    ids: tuple[int, ...] = ()
    newest_first: bool = True
    limit: int = 50
    offset: int = 0
