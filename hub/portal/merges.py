"""What institutions said of two of their numbers: who merged whom, when, by which message; and taking it back."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from .render import page
from .session import Fields, Posting, Visiting
from .timeline import organizations

router = APIRouter(include_in_schema=False)

_REASON_LIMIT = 500


@router.get("/doubts/merges")
def merges(visit: Visiting) -> Response:
    """Every merge, newest first, whatever became of it."""
    found = visit.verbs.query.merges(visit.disclosure)
    return page(visit, "merges.html", merges=found, organizations=organizations(visit), state="merges")


@router.post("/doubts/merges/{merge_id}")
def undo(visit: Posting, merge_id: int, fields: Fields) -> Response:
    """Takes a merge back, with the reason that the audit log keeps."""
    reason = fields.get("reason", "").strip()[:_REASON_LIMIT]
    visit.verbs.identity.undo_merge(visit.disclosure, merge_id, reason)
    return RedirectResponse("/doubts/merges", status_code=303)
