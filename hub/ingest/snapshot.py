"""A report as all its messages together say it. A message that leaves a result out does not take it back.

"F: can only be changed with a corrected result", "D: deletes the OBX record", "W: post original as wrong" (HL7 v2 table
0085): a result that its source stands by is changed by a word about itself alone, so that a correction may carry the
corrected result and nothing else. A preliminary one stays while the report is open, and is left out once it is closed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import reduce

from schemas.observation import SETTLED, WITHDRAWN, Observation, Slot, slots
from schemas.report import WITHDRAWN as WITHDRAWN_REPORT
from schemas.report import Report, ReportCategory

from .life import precedes, rank

# An earlier version holds texts, documents or preliminary results that the current one does not repeat.
HAS_MORE = "earlier-version-has-more"
_CLOSED = 3

_Pair = tuple[Observation | None, Observation | None]


def stated(version: Report) -> Report:
    """What the message behind a version said itself."""
    own = tuple(each for each in version.observations if not each.carried)
    if HAS_MORE not in version.flags and len(own) == len(version.observations):
        return version
    return replace(version, observations=own, flags=tuple(flag for flag in version.flags if flag != HAS_MORE))


def merged(newer: Report, older: Report) -> Report:
    """`newer` with what of `older` it neither repeats nor takes back. Laboratory only: others send a report whole."""
    if newer.category is not ReportCategory.LABORATORY:
        return newer
    pairs = _pairs(newer, older)
    if any(here is None or _open_again(here, before) for here, before in pairs):
        found = [_one(newer, older, *pair) for pair in pairs]
        together = tuple(each for each in found if each is not None)
        if any(each.carried for each in together):
            newer = replace(newer, observations=together)
    return newer if HAS_MORE in newer.flags or not _has_more(newer, older, pairs) else _flagged(newer)


def folded(statements: Iterable[Report], current: Report) -> Report:
    """What the statements amount to, the last word being `current`'s. Statements: in any order."""
    ordered: list[Report] = []
    for each in statements:
        if each != current:
            ordered.insert(_place(each, ordered), each)
    return reduce(lambda older, newer: merged(newer, older), [*ordered, current])


def refused(newer: Report, older: Report) -> bool:
    """Whether `newer` calls a result preliminary which `older` stands by: that cannot be, so it changes nothing."""
    pairs = _pairs(newer, older) if newer.category is ReportCategory.LABORATORY else ()
    return any(here is not None and _open_again(here, before) for here, before in pairs)


def _place(report: Report, ordered: list[Report]) -> int:
    return next((n for n, each in enumerate(ordered) if _comes_before(report, each)), len(ordered))


def _comes_before(one: Report, other: Report) -> bool:
    mine, theirs = rank(one.status), rank(other.status)
    return mine < theirs or (mine == theirs and bool(precedes(one, other)))


def _one(newer: Report, older: Report, here: Observation | None, before: Observation | None) -> Observation | None:
    if here is not None and not _open_again(here, before):
        return here
    assert before is not None  # a pair has one side at least
    if here is None and before.status not in SETTLED and rank(newer.status) == _CLOSED:
        return None
    at = before.observed_at or (older.observed_at if older.observed_at != newer.observed_at else None)
    withdrawn = newer.status in WITHDRAWN_REPORT and before.status not in WITHDRAWN
    return replace(before, carried=True, observed_at=at, status=newer.status.value if withdrawn else before.status)


def _open_again(here: Observation, before: Observation | None) -> bool:
    return before is not None and here.status not in SETTLED and before.status in SETTLED - WITHDRAWN


def _pairs(newer: Report, older: Report) -> tuple[_Pair, ...]:
    """The results of both, side by side: in the order of `older`, those that are new behind them."""
    here, before = dict(slots(newer.observations)), dict(slots(older.observations))
    twins = _twins(here, before)
    pairs: list[_Pair] = [(here.pop(twins.get(slot, slot), None), each) for slot, each in before.items()]
    return (*pairs, *((each, None) for each in here.values()))


def _twins(here: dict[Slot, Observation], before: dict[Slot, Observation]) -> dict[Slot, Slot]:
    """By slot of `before`: that of the same result here under another OBX-4, which some senders number anew."""
    once = {code: slot for slot, code in _unique(here)}
    return {
        slot: once[code]
        for slot, code in _unique(before)
        if slot not in here and code in once and once[code] not in before
    }


def _unique(found: dict[Slot, Observation]) -> Iterator[tuple[Slot, tuple[str, str]]]:
    counts = Counter(slot[:2] for slot in found)
    return ((slot, slot[:2]) for slot in found if counts[slot[:2]] == 1)


def _has_more(newer: Report, older: Report, pairs: Iterable[_Pair]) -> bool:
    texts = (older.findings and not newer.findings) or (older.conclusion and not newer.conclusion)
    results = any(here is None and before is not None and before.status not in SETTLED for here, before in pairs)
    results = results and rank(newer.status) == _CLOSED
    return bool(texts or results or (older.attachments and not newer.attachments) or HAS_MORE in older.flags)


def _flagged(report: Report) -> Report:
    return replace(report, flags=(*report.flags, HAS_MORE))
