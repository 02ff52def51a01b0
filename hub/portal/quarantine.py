"""What could not be taken: where it broke, what was sent, and the way to read it once more."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from hub.access import Permission, require
from schemas.delivery import DeliveryRecord, State
from schemas.faults import Category, Fault

from .conflicts import conflict
from .contents import download
from .raw_view import raw_view
from .render import page, page_or_fragment
from .segments import views
from .session import Fields, Posting, Visit, Visiting
from .waiting import EVERY, Search


def managing(visit: Visiting) -> None:
    """Administrators only: what could not be read belongs to nobody yet."""
    require(visit.principal, Permission.MANAGE_DELIVERIES)


router = APIRouter(include_in_schema=False, dependencies=[Depends(managing)])

PAGE_SIZE = 50
_CHOSEN = "delivery-"


@router.get("/quarantine")
def quarantine(visit: Visiting, offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0) -> Response:
    """Deliveries by state, newest first; a search looks at sources, message ids, days and what went wrong."""
    search = Search.of(visit.request.query_params)
    found = visit.verbs.query.deliveries(visit.disclosure, search.criteria, limit=PAGE_SIZE, offset=offset)
    values = {"found": found, "search": search, "every": EVERY, "page_size": PAGE_SIZE, "replayed": None}
    return page_or_fragment(visit, "quarantine.html", "_deliveries.html", **values)


@router.post("/quarantine/replay")
def replay_many(visit: Posting, fields: Fields) -> Response:
    """Reads the chosen deliveries again, or all that the search finds; says how many of them are taken now."""
    search = Search.of(fields)
    chosen = [int(name.removeprefix(_CHOSEN)) for name in fields if _is_choice(name)]
    which = search.criteria if fields.get("which") == EVERY else chosen
    replayed = visit.verbs.repairs.replay(visit.disclosure, which)
    found = visit.verbs.query.deliveries(visit.disclosure, search.criteria, limit=PAGE_SIZE)
    values = {"found": found, "search": search, "every": EVERY, "page_size": PAGE_SIZE, "replayed": replayed}
    return page_or_fragment(visit, "quarantine.html", "_deliveries.html", **values)


def _is_choice(name: str) -> bool:
    number = name.removeprefix(_CHOSEN)
    return name.startswith(_CHOSEN) and number.isdecimal() and len(number) < 19


@router.get("/quarantine/{delivery_id}")
def delivery(visit: Visiting, delivery_id: int) -> Response:
    """One delivery: the fault at its place, the accounting, the bytes."""
    return _delivery_page(visit, delivery_id)


def _delivery_page(visit: Visit, delivery_id: int, fault: Fault | None = None, status: int = 200) -> Response:
    record = visit.verbs.query.delivery(visit.disclosure, delivery_id)
    category = Category(record.category) if record.category else None
    shown = record.state is not State.INDEXED or visit.may(Permission.READ_REPORTS)
    messages = _messages(visit, record) if shown else ()
    raw = None
    if shown and not messages:
        raw = raw_view(visit.verbs.retrieve.original(visit.disclosure, delivery_id), record.where)
    return page(
        visit,
        "delivery.html",
        status=status,
        record=record,
        category=category,
        raw=raw,
        messages=messages,
        shown=shown,
        conflict=conflict(record),
        may_resolve=visit.may(Permission.RESOLVE_IDENTITY),
        editable=visit.verbs.examination.editable(record),
        fault=fault,
    )


def _messages(visit: Visit, record: DeliveryRecord) -> tuple[object, ...]:
    examined = visit.verbs.examination.examined(visit.disclosure, record.id)
    found = views(examined) if examined else ()
    # What has no segment to show is shown as the lines that it is.
    return found if any(message.lines for message in found) else ()


@router.get("/quarantine/{delivery_id}/original")
def original(visit: Visiting, delivery_id: int) -> StreamingResponse:
    """The bytes as they came."""
    return download(visit.verbs.retrieve.original(visit.disclosure, delivery_id))


@router.post("/quarantine/{delivery_id}/keep")
def keep(visit: Posting, delivery_id: int, fields: Fields) -> Response:
    """The reports that this delivery contests are right as they stand."""
    visit.verbs.identity.keep(visit.disclosure, delivery_id, fields.get("reason", ""))
    return RedirectResponse(f"/quarantine/{delivery_id}", status_code=303)


@router.post("/quarantine/{delivery_id}/replay")
def replay(visit: Posting, delivery_id: int, fields: Fields) -> Response:
    """Reads the kept bytes once more, with the readers of today; as the next version where a person says so."""
    try:
        accept = fields.get("accept") == "1"
        fault = visit.verbs.ingest.replay(visit.disclosure, delivery_id, accept=accept).fault
    except Fault as raised:
        if raised.category in {Category.FORBIDDEN, Category.NOT_FOUND}:
            raise
        fault = raised
    if fault is not None:
        return _delivery_page(visit, delivery_id, fault)
    return RedirectResponse(f"/quarantine/{delivery_id}", status_code=303)
