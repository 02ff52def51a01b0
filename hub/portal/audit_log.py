"""Who saw and did what."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from schemas.disclosure import Action

from .render import page_or_fragment
from .session import Visiting

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 100


@router.get("/audit")
def audit(
    visit: Visiting,
    account: Annotated[str, Query(max_length=100)] = "",
    patient: Annotated[str, Query(max_length=20)] = "",
    action: str = "",
    offset: Annotated[int, Query(ge=0, le=100_000_000)] = 0,
) -> Response:
    """The trail, newest first, by account, patient record and action."""
    wanted = action if action in set(Action) else ""
    patient_id = int(patient) if patient.isascii() and patient.isdigit() else None
    found = visit.verbs.query.audit(
        visit.disclosure,
        patient_id=patient_id,
        account=account.strip(),
        action=wanted,
        limit=PAGE_SIZE,
        offset=offset,
    )
    values = {"found": found, "account": account.strip(), "patient": patient_id, "action": wanted}
    return page_or_fragment(
        visit, "audit.html", "_audit_rows.html", actions=tuple(Action), page_size=PAGE_SIZE, **values
    )
