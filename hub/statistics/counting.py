"""From pairs of report and institution to figures. Rules alone, without storage."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from schemas.figures import Figures, Pair, Row
from schemas.recognition import Decided


def row(name: str, pairs: Iterable[Pair]) -> Row:
    """The figures of some pairs."""
    found = list(pairs)
    recognised = [pair for pair in found if pair.verdict is Decided.RECOGNISED]
    refused = [pair for pair in found if pair.verdict is Decided.NOT_RECOGNISED]
    uncounted = [pair for pair in refused if not pair.counted]
    return Row(
        name,
        existing=len(found),
        retrieved=sum(pair.retrieved for pair in found),
        recognised=len(recognised),
        refused=len(refused),
        uncounted=len(uncounted),
        reminded=sum(pair.reminded for pair in found),
        adopted=sum(pair.reminded for pair in recognised),
        reminded_uncounted=sum(pair.reminded for pair in uncounted),
        repeated=sum(pair.repeated for pair in recognised),
        saved_fen=sum(pair.price_fen for pair in recognised if not pair.repeated),
    )


def figures(
    pairs: Iterable[Pair], *, since: dt.date, until: dt.date, institution: str = "", openings: int = 0
) -> Figures:
    """The figures of a period. institution: whose; what others did with its results is told apart."""
    known = list(pairs)
    own = [pair for pair in known if institution in ("", pair.organization)]
    issued = [pair for pair in known if institution in ("", pair.issuer)]
    reasons = Counter(pair.reason for pair in own if pair.verdict is Decided.NOT_RECOGNISED)
    return Figures(
        since=since,
        until=until,
        institution=institution,
        total=row("", own),
        issued=row("", issued),
        by_institution=_by(own, lambda pair: pair.organization),
        by_issuer=_by(own if institution else issued, lambda pair: pair.issuer),
        by_item=_by((pair for pair in own if pair.item), lambda pair: pair.item),
        by_month=tuple(sorted(_by(own, lambda pair: pair.month), key=lambda each: each.name)),
        reasons=tuple(sorted(reasons.items(), key=lambda each: (-each[1], each[0]))),
        openings=openings,
    )


def _by(pairs: Iterable[Pair], key: Callable[[Pair], str]) -> tuple[Row, ...]:
    """A row for each, those with most decisions first."""
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[key(pair)].append(pair)
    rows = (row(name, group) for name, group in groups.items())
    return tuple(sorted(rows, key=lambda each: (-each.recognised - each.refused, -each.existing, each.name)))
