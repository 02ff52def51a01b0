"""A single result: what was measured, its value, and how it stands to its reference."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from .codes import Coding

# FHIR observation-status of a result that its source took back.
WITHDRAWN = frozenset({"cancelled", "entered-in-error"})
# Of one that its source stands by or took back: only a word about itself changes it (HL7 v2 table 0085: F, C, D, W, X).
SETTLED = WITHDRAWN | {"final", "corrected", "amended"}


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
class Interval:
    """All numbers from `low` to `high`, either of which may be open (None). Source: SN `^2^-^4`, NR `2^4`."""

    low: Decimal | None
    high: Decimal | None
    unit: str = ""
    unit_system: str = ""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A titre or proportion, not worked out: 1:128 is not 0.0078. Source: SN `^1^:^128`."""

    numerator: Decimal
    denominator: Decimal
    comparator: str = ""
    unit: str = ""
    unit_system: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, time or instant that is itself the result, in ISO 8601 and as exact as it was told.

    iso: `2026`, `2026-11`, `2026-11-21`, `2026-11-21T10:30:00+08:00` or, of a clock alone, `10:30:00`.
    """

    iso: str


Value = Quantity | Coding | str | Interval | Ratio | Moment | None


@dataclass(frozen=True, slots=True)
class Observation:
    """One result within a report; (code, sub_id) is its identity there (OBX-3, OBX-4).

    value: None where the source sent none; the text as sent where it is not what its type says (`***.*`).
    sent: the value as sent, where writing `value` again would give other characters; else empty.
    interpretation: codes of HL7 table 0078 (`H`, `LL`, `S`, ...). status: FHIR observation-status.
    observed_at: the patient's clock (sampling), aware of its zone; None where the report's own holds.
    measured_by: name of the person who measured it here, in place of the source's value; else empty.
    computed: the hub worked it out, from the recording or from another result; `method` says how.
    carried: said by an earlier message about this report, and neither repeated nor taken back by the latest one.
    """

    code: Coding
    value: Value
    sub_id: str = ""
    unit: str = ""
    reference_range: str = ""
    interpretation: tuple[str, ...] = ()
    status: str = "final"
    observed_at: dt.datetime | None = None
    method: str = ""
    notes: tuple[str, ...] = ()
    sent: str = ""
    carried: bool = False
    measured_by: str = ""
    computed: bool = False


Slot = tuple[str, str, str, int]


def slots(observations: Iterable[Observation]) -> Iterator[tuple[Slot, Observation]]:
    """Each observation under its identity in the report: code, system, sub-id, and which of several alike it is."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for observation in observations:
        key = (observation.code.code, observation.code.system, observation.sub_id)
        yield (*key, seen[key]), observation
        seen[key] += 1


@dataclass(frozen=True, slots=True)
class ObservationRecord:
    """An observation in the current (or asked) version of its report. `category`: the report's.

    current: the report's newest version says it; false for one that a later version left out or said otherwise.
    concept: the district's analyte that its code stands for (schemas.mapping); None where nobody has mapped it.
    unit_code: what a person said that the institution means by this unit, in UCUM; empty where nobody has.
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
    concept: Coding | None = None
    unit_code: str = ""

    @property
    def withdrawn(self) -> bool:
        """Whether the source took it back, alone or with its report."""
        return self.observation.status in WITHDRAWN


@dataclass(frozen=True, slots=True)
class ObservationCriteria:
    """What a search asks. Empty fields do not restrict. Intervals are half open [since, until).

    code, code_system: a result as it was sent, or an analyte: then whatever is mapped to it is found as well.
    """

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
