"""Quality records: whether an institution's item took part in external quality assessment, and passed."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from .catalogue import Item, Scope
from .wording import ZONE


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

    @property
    def last_day(self) -> dt.date:
        """The day that people name as its end."""
        return self.until - dt.timedelta(days=1)

    @property
    def key(self) -> tuple[str, str, str, dt.date]:
        """What tells it from other records: one that has the same takes its place."""
        return self.organization, self.item, self.method, self.since


@dataclass(frozen=True, slots=True)
class QualityVersion:
    """A record as it stood from `changed_at` (our clock) on. `version` counts from 1; `change`: the saving it is of.

    withdrawn: it was an error; nothing of it holds.
    """

    version: int
    record: QualityRecord
    changed_at: dt.datetime
    changed_by: str = ""
    reason: str = ""
    withdrawn: bool = False
    change: int = 0


class Assessed(StrEnum):
    """How an institution's item stood at a moment: as a record says, or because none does."""

    PASSED = "passed"
    FAILED = "failed"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the records say of an item at the moment of sampling. `by`: the version that decided; None where none did.

    Of an expired one `by` is the latest that had ended.
    """

    assessed: Assessed
    by: QualityVersion | None = None


_NOBODY = Assessment(Assessed.UNKNOWN)
# Of several records that hold at once, the worst decides.
_WORST = (Standing.FAILED, Standing.SUSPENDED, Standing.PASSED)


@dataclass(frozen=True, slots=True)
class QualityBook:
    """Quality records at hand: every version that was ever saved. Looking one up asks no database.

    stamp: how many savings it knows of.
    """

    stamp: int = 0
    _versions: dict[tuple[str, str], tuple[QualityVersion, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, versions: Iterable[QualityVersion], stamp: int = 0, before: "QualityBook | None" = None
    ) -> "QualityBook":
        """A book of these versions, and of those in the one `before`, which stays as it was."""
        known = dict(before._versions) if before else {}
        added: dict[tuple[str, str], list[QualityVersion]] = {}
        for each in versions:
            added.setdefault((each.record.organization, each.record.item), []).append(each)
        for about, new in added.items():
            known[about] = (*known.get(about, ()), *new)
        return cls(stamp, known)

    def versions(self, organization: str, item: str) -> tuple[QualityVersion, ...]:
        """Everything that was ever saved about an institution's item."""
        return self._versions.get((organization, item), ())

    def in_force(self, organization: str, item: str, known_at: dt.datetime | None = None) -> tuple[QualityVersion, ...]:
        """The records that hold today, or that did as far as was known at that moment."""
        return in_force(self.versions(organization, item), known_at)

    def standing(
        self, organization: str, item: str, method: str, at: dt.datetime, known_at: dt.datetime | None = None
    ) -> Assessment:
        """How an item stood when the specimen was taken or the image acquired; see `assess`."""
        return assess(self.in_force(organization, item, known_at), method, at)

    def about(self) -> tuple[tuple[str, str], ...]:
        """The (organization, item) pairs that anything was saved about."""
        return tuple(self._versions)


def in_force(versions: Iterable[QualityVersion], known_at: dt.datetime | None = None) -> tuple[QualityVersion, ...]:
    """The newest version of each record, without those withdrawn; `known_at`: of those saved until then."""
    newest: dict[tuple[str, str, str, dt.date], QualityVersion] = {}
    for each in versions:
        if known_at is None or each.changed_at <= known_at:
            was = newest.get(each.record.key)
            if was is None or was.version < each.version:
                newest[each.record.key] = each
    return tuple(each for each in newest.values() if not each.withdrawn)


def assess(records: Iterable[QualityVersion], method: str, at: dt.datetime) -> Assessment:
    """How one item of one institution stood at a moment, by the records about it that are in force.

    A record may hold for every method; of a result that does not tell its method, each may be meant. Where several
    hold, the worst decides; where none does, it is expired, or unknown.
    """
    day = at.astimezone(ZONE).date()
    meant = [each for each in records if not method or each.record.method in ("", method)]
    holding = [each for each in meant if each.record.since <= day < each.record.until]
    if holding:
        # By day and version too, so that the same one is named however they are ordered.
        worst = min(holding, key=lambda each: (_WORST.index(each.record.standing), *_order(each)))
        return Assessment(Assessed(worst.record.standing), worst)
    ended = [each for each in meant if each.record.until <= day]
    if ended:
        return Assessment(Assessed.EXPIRED, max(ended, key=lambda each: (each.record.until, *_order(each))))
    return _NOBODY


def _order(version: QualityVersion) -> tuple[dt.date, str, int]:
    return version.record.since, version.record.method, version.version


_WIDEST_FIRST = tuple(Scope)


def hr_mark(item: Item, assessment: Assessment) -> Scope | None:
    """How far the HR mark of a result reaches; None where it bears none.

    Only what took part and passed at sampling may bear one, and it reaches no further than the item's own scope.
    Source: 国卫医发〔2022〕6号.
    """
    if assessment.assessed is not Assessed.PASSED or assessment.by is None:
        return None
    return max(item.scope, assessment.by.record.scope, key=_WIDEST_FIRST.index)
