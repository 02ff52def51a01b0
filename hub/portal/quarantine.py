"""What could not be taken: where it broke, what was sent, and the way to read it once more."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from hub.access import Permission, require
from schemas.delivery import DeliveryCriteria, State
from schemas.faults import Category, Fault

from .contents import download
from .raw_view import raw_view
from .render import page, page_or_fragment
from .session import Posting, Visit, Visiting


def managing(visit: Visiting) -> None:
    """Administrators only: what could not be read belongs to nobody yet."""
    require(visit.principal, Permission.MANAGE_DELIVERIES)


router = APIRouter(include_in_schema=False, dependencies=[Depends(managing)])

PAGE_SIZE = 50
_EVERY = "all"


@router.get("/quarantine")
def quarantine(
    visit: Visiting,
    state: str = State.QUARANTINED.value,
    q: Annotated[str, Query(max_length=100)] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Deliveries by state, newest first; a search looks at sources, message ids and what went wrong."""
    wanted = State(state) if state in set(State) else None
    found = visit.verbs.query.deliveries(
        visit.disclosure, DeliveryCriteria(wanted, q.strip()), limit=PAGE_SIZE, offset=offset
    )
    values = {"found": found, "state": wanted.value if wanted else _EVERY, "q": q.strip(), "page_size": PAGE_SIZE}
    return page_or_fragment(visit, "quarantine.html", "_deliveries.html", **values)


@router.get("/quarantine/{delivery_id}")
def delivery(visit: Visiting, delivery_id: int) -> Response:
    """One delivery: the fault at its place, the accounting, the bytes."""
    return _delivery_page(visit, delivery_id)


def _delivery_page(visit: Visit, delivery_id: int, fault: Fault | None = None, status: int = 200) -> Response:
    record = visit.verbs.query.delivery(visit.disclosure, delivery_id)
    category = Category(record.category) if record.category else None
    raw = None
    if record.state is not State.INDEXED or visit.may(Permission.READ_REPORTS):
        raw = raw_view(visit.verbs.retrieve.original(visit.disclosure, delivery_id), record.where)
    return page(visit, "delivery.html", status=status, record=record, category=category, raw=raw, fault=fault)


@router.get("/quarantine/{delivery_id}/original")
def original(visit: Visiting, delivery_id: int) -> StreamingResponse:
    """The bytes as they came."""
    return download(visit.verbs.retrieve.original(visit.disclosure, delivery_id))


@router.post("/quarantine/{delivery_id}/replay")
def replay(visit: Posting, delivery_id: int) -> Response:
    """Reads the kept bytes once more, with the readers of today."""
    try:
        fault = visit.verbs.ingest.replay(visit.disclosure, delivery_id).fault
    except Fault as raised:
        if raised.category in {Category.FORBIDDEN, Category.NOT_FOUND}:
            raise
        fault = raised
    if fault is not None:
        return _delivery_page(visit, delivery_id, fault)
    return RedirectResponse(f"/quarantine/{delivery_id}", status_code=303)
