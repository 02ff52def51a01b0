"""The published figures of mutual recognition, counted from the ledger.

What is counted are pairs of a report and an institution other than its issuer, by the institution's last word about it
in the period. A reason of the list that does not count (98, 99) leaves every denominator.
Source: 国卫医政发〔2024〕37号 for the first rate; the other two as regions publish them.
"""

import datetime as dt
from dataclasses import dataclass

from .recognition import Decided


@dataclass(frozen=True, slots=True)
class Pair:
    """One report and one institution that treats its patient.

    month: `2026-11` on the district's clock, of the institution's first dealing with the report in the period.
    retrieved: opened or decided on. verdict: the last word, None where there is none. counted: whether that counts.
    reminded: advice to reuse was shown. price_fen: of the item. repeated: the item was examined again soon after.
    """

    report_id: int
    organization: str
    issuer: str
    month: str
    item: str = ""
    retrieved: bool = False
    reminded: bool = False
    verdict: Decided | None = None
    reason: str = ""
    counted: bool = True
    price_fen: int = 0
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """A share, with what it is a share of."""

    part: int
    whole: int

    @property
    def percent(self) -> float | None:
        """None where there is nothing to divide by."""
        return 100 * self.part / self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one institution, issuer, item or month; `name`: its code. Pairs, but for the money.

    saved_fen: price of what was recognised, without what was examined again soon after; `repeated`: how many those are.
    """

    name: str
    existing: int = 0
    retrieved: int = 0
    recognised: int = 0
    refused: int = 0
    uncounted: int = 0
    reminded: int = 0
    adopted: int = 0
    reminded_uncounted: int = 0
    repeated: int = 0
    saved_fen: int = 0

    @property
    def of_existing(self) -> Rate:
        """The national rate: recognised among the results that existed."""
        return Rate(self.recognised, self.existing - self.uncounted)

    @property
    def of_retrieved(self) -> Rate:
        """Recognised among those retrieved."""
        return Rate(self.recognised, self.retrieved - self.uncounted)

    @property
    def of_reminded(self) -> Rate:
        """Adopted among those reminded of."""
        return Rate(self.adopted, self.reminded - self.reminded_uncounted)


@dataclass(frozen=True, slots=True)
class Figures:
    """A period [since, until) of whole days on the district's clock. institution: code, empty for the whole district.

    issued: of the institution's own results, elsewhere; by_issuer likewise. reasons: how often each was given, the most
    frequent first. openings: how often doctors opened reports of others.
    """

    since: dt.date
    until: dt.date
    institution: str
    total: Row
    issued: Row
    by_institution: tuple[Row, ...]
    by_issuer: tuple[Row, ...]
    by_item: tuple[Row, ...]
    by_month: tuple[Row, ...]
    reasons: tuple[tuple[str, int], ...]
    openings: int
