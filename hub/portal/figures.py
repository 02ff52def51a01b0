"""What became of the reports that others could have reused: every decision, and how many of each kind."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response

from hub.access import Permission, require
from schemas.recognition import Decided, Decision, Reason, reason_list

from .render import page
from .session import Visiting
from .timeline import organizations

router = APIRouter(include_in_schema=False)

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over all decisions shown to the asker. reasons: how often each was given, most frequent first."""

    recognised: int
    not_recognised: int
    uncounted: int
    reasons: tuple[tuple[Reason, int], ...]

    @property
    def total(self) -> int:
        return self.recognised + self.not_recognised

    @property
    def rate(self) -> float | None:
        """Recognised among what counts, in per cent; None where nothing counts yet."""
        counted = self.total - self.uncounted
        return 100 * self.recognised / counted if counted else None


@router.get("/decisions")
def decisions(visit: Visiting) -> Response:
    """Every decision of the district, newest first, under its figures."""
    require(visit.principal, Permission.READ_FIGURES)
    found = visit.verbs.query.decisions(visit.disclosure)
    newest = sorted(found, key=lambda d: (d.decided_at, d.id), reverse=True)
    words: dict[str, Any] = {"organizations": organizations(visit), "reasons": reason_list()}
    return page(visit, "decisions.html", figures=figures(found), decisions=newest[:_SHOWN], **words)


def figures(found: tuple[Decision, ...]) -> Figures:
    """Counts by verdict and reason; reasons that the list does not count leave the rate's denominator."""
    refused = Counter(d.reason for d in found if d.verdict is Decided.NOT_RECOGNISED)
    known = [(reason, refused[reason.code]) for reason in reason_list().reasons if refused[reason.code]]
    return Figures(
        recognised=sum(d.verdict is Decided.RECOGNISED for d in found),
        not_recognised=refused.total(),
        uncounted=sum(count for reason, count in known if not reason.counted),
        reasons=tuple(sorted(known, key=lambda pair: -pair[1])),
    )
