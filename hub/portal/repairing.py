"""Making a corrected copy: the text of what waits, what a change would make of it, and saving it as a new delivery."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from hub.access import Permission, require
from hub.examination import MOST_EDITED_BYTES, Preview
from schemas.delivery import RepairReason
from schemas.faults import Category, Fault, InvalidPayload

from .quarantine import managing
from .render import fragment, page
from .segments import views
from .session import CSRF_FIELD, CSRF_HEADER, Visit, Visiting, check_csrf, form

router = APIRouter(include_in_schema=False, dependencies=[Depends(managing)])

# In a form each byte may be written as three (%E7), and brackets stand for bytes that cannot be shown.
_MOST_FORM_BYTES = 8 * MOST_EDITED_BYTES


async def text_form(request: Request, visit: Visiting) -> dict[str, str]:
    """The fields of the editor's form, as long as a message may be. Who asks is decided before it is read."""
    require(visit.principal, Permission.MANAGE_DELIVERIES)
    fields = await form(request, _MOST_FORM_BYTES)
    check_csrf(visit, request.headers.get(CSRF_HEADER) or fields.get(CSRF_FIELD, ""))
    return fields


TextForm = Annotated[dict[str, str], Depends(text_form)]


@router.get("/quarantine/{delivery_id}/repair")
def editor(visit: Visiting, delivery_id: int) -> Response:
    """The text of a delivery that waits, to be changed."""
    text = visit.verbs.examination.text(visit.disclosure, delivery_id)
    return _editor_page(visit, delivery_id, text)


def _editor_page(visit: Visit, delivery_id: int, text: str, reason: str = "", fault: Fault | None = None) -> Response:
    record = visit.verbs.query.delivery(visit.disclosure, delivery_id)
    return page(
        visit,
        "repair.html",
        status=200 if fault is None else 422,
        record=record,
        text=text,
        reason=reason,
        reasons=tuple(RepairReason),
        fault=fault,
        category=Category(record.category) if record.category else None,
    )


@router.post("/quarantine/{delivery_id}/preview")
def preview(visit: Visiting, delivery_id: int, fields: TextForm) -> Response:
    """What the changed text would become, were it saved."""
    found: Preview = visit.verbs.examination.preview(visit.disclosure, delivery_id, fields.get("text", ""))
    fault = found.outcome if isinstance(found.outcome, Fault) else None
    messages = views(found.examined) if found.examined else ()
    return fragment(
        visit,
        "_preview.html",
        fault=fault,
        reading=None if fault else found.outcome,
        messages=messages,
        changed=found.changed,
    )


@router.post("/quarantine/{delivery_id}/repair")
def repair(visit: Visiting, delivery_id: int, fields: TextForm) -> Response:
    """Saves the changed text as a new delivery; the original stays as it came."""
    text, reason = fields.get("text", ""), fields.get("reason", "")
    try:
        if reason not in set(RepairReason):
            raise InvalidPayload("expected a reason for the repair", where="reason")
        content = visit.verbs.examination.written(visit.disclosure, delivery_id, text)
        receipt = visit.verbs.repairs.repair(visit.disclosure, delivery_id, content, RepairReason(reason))
    except Fault as fault:
        if fault.category in {Category.FORBIDDEN, Category.NOT_FOUND, Category.BUSY}:
            raise
        return _editor_page(visit, delivery_id, text, reason, fault)
    return RedirectResponse(f"/quarantine/{receipt.delivery_id}", status_code=303)
