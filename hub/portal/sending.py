"""Where results are sent on to, what was refused there and why, and what senders must prove of themselves."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import RedirectResponse

from hub.access import Permission, require
from schemas.dispatch import CHARSETS, Destination, DispatchState
from schemas.faults import Category, Fault, InvalidPayload
from schemas.report import ReportCategory

from .render import page, page_or_fragment
from .session import Fields, Posting, Visit, Visiting


def managing(visit: Visiting) -> None:
    """Administrators only. Decided before anything of a form is read."""
    require(visit.principal, Permission.MANAGE_CONNECTIONS)


router = APIRouter(include_in_schema=False, dependencies=[Depends(managing)])

PAGE_SIZE = 50
_TEXTS = ("organization", "name", "host", "receiving_application", "receiving_facility", "charset")
_KINDS = (ReportCategory.LABORATORY, ReportCategory.IMAGING, ReportCategory.ECG, ReportCategory.OTHER)
_NEW = Destination("", "", "", 2575, tls=True)
_MOST_IDENTITIES = 20
_MENU = "/destinations"  # the entry of the menu that all these pages belong to


@dataclass(frozen=True, slots=True)
class _Form:
    """A destination as it stands in the form; `id` 0 for a new one."""

    id: int
    destination: Destination
    fault: Fault | None = None


@router.get("/destinations")
def destinations(visit: Visiting) -> Response:
    """Every destination, and how it stands with it."""
    found = visit.verbs.notify.destinations(visit.disclosure)
    return page(visit, "destinations.html", found=found, organizations=_organizations(visit))


@router.get("/destinations/new")
def new(visit: Visiting) -> Response:
    """The form of a destination that is not there yet."""
    return _form(visit, _Form(0, _NEW))


@router.get("/destinations/{destination_id}")
def destination(visit: Visiting, destination_id: int) -> Response:
    """The form of a destination."""
    known = visit.verbs.notify.destination(visit.disclosure, destination_id)
    return _form(visit, _Form(known.id, known.destination))


def _form(visit: Visit, form: _Form) -> Response:
    return page(
        visit,
        "destination.html",
        status=400 if form.fault else 200,
        form=form,
        organizations=_organizations(visit),
        charsets=tuple(CHARSETS),
        kinds=_KINDS,
    )


def _organizations(visit: Visit) -> dict[str, object]:
    return {each.organization.code: each.organization for each in visit.verbs.query.organizations()}


@router.post("/destinations/new")
def add(visit: Posting, fields: Fields) -> Response:
    """Adds a destination."""
    return _put(visit, fields, 0)


@router.post("/destinations/{destination_id}")
def change(visit: Posting, fields: Fields, destination_id: int) -> Response:
    """Changes a destination."""
    return _put(visit, fields, destination_id)


def _put(visit: Visit, fields: dict[str, str], destination_id: int) -> Response:
    said = _said(fields)
    try:
        visit.verbs.notify.put_destination(visit.disclosure, said, destination_id or None)
    except Fault as fault:
        if fault.category is Category.NOT_FOUND and destination_id and fault.where == "destination":
            raise
        return _form(visit, _Form(destination_id, said, fault))
    return RedirectResponse("/destinations", status_code=303)


def _said(fields: dict[str, str]) -> Destination:
    texts = {name: fields.get(name, "").strip() for name in _TEXTS}
    port = fields.get("port", "")
    return Destination(
        **texts,
        port=int(port) if port.isascii() and port.isdecimal() and len(port) < 6 else 0,
        tls="tls" in fields,
        categories=tuple(kind for kind in _KINDS if f"kind-{kind}" in fields),
        active="active" in fields,
    )


@router.get("/dispatches")
def dispatches(
    visit: Visiting,
    state: str = DispatchState.DEAD.value,
    destination: Annotated[int, Query(ge=0, le=2**31)] = 0,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """What was refused, what waits, what was delivered; of one destination or of all."""
    return _list(visit, _state(state), destination, offset)


def _state(said: str) -> DispatchState:
    return DispatchState(said) if said in set(DispatchState) else DispatchState.DEAD


def _list(
    visit: Visit, state: DispatchState, destination: int = 0, offset: int = 0, fault: Fault | None = None
) -> Response:
    found = visit.verbs.notify.dispatches(
        visit.disclosure, state=state, destination_id=destination or None, limit=PAGE_SIZE, offset=offset
    )
    values = {
        "path": _MENU,
        "found": found,
        "state": state,
        "destination": destination,
        "page_size": PAGE_SIZE,
        "fault": fault,
    }
    return page_or_fragment(visit, "dispatches.html", "_dispatches.html", **values)


@router.post("/dispatches/{dispatch_id}")
def decide(visit: Posting, fields: Fields, dispatch_id: int) -> Response:
    """Sends a refused report once more, or gives it up."""
    notify, said = visit.verbs.notify, fields.get("decision", "")
    back = _state(fields.get("state", ""))
    try:
        if said == "retry":
            notify.retry(visit.disclosure, dispatch_id)
        elif said == "give-up":
            notify.give_up(visit.disclosure, dispatch_id, fields.get("reason", ""))
        else:
            raise InvalidPayload("expected a decision: retry or give-up", where="decision")
    except Fault as fault:
        if fault.category is Category.NOT_FOUND:
            raise
        return _list(visit, back, fault=fault)
    return RedirectResponse(f"/dispatches?state={back}", status_code=303)


@router.get("/certificates")
def certificates(visit: Visiting) -> Response:
    """What each sender must prove of itself when it comes over TLS."""
    return _certificates(visit)


def _certificates(visit: Visit, fault: Fault | None = None, source: str = "", said: str = "") -> Response:
    known = visit.verbs.notify.certificates(visit.disclosure)
    status = 400 if fault else 200
    values = {"path": _MENU, "known": known, "fault": fault, "source": source, "said": said}
    return page(visit, "certificates.html", status=status, **values)


@router.post("/certificates")
def bind(visit: Posting, fields: Fields) -> Response:
    """Binds a sender to certificates, one on a line; to its own name where there is none."""
    source, said = fields.get("source", ""), fields.get("identities", "")
    try:
        lines = tuple(said.splitlines()[:_MOST_IDENTITIES])
        visit.verbs.notify.put_certificates(visit.disclosure, source, lines)
    except Fault as fault:
        return _certificates(visit, fault, source, said)
    return RedirectResponse("/certificates", status_code=303)
