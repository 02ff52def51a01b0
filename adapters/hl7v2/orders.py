"""ORM^O01, OML^O21, OMI^O23 and OMG^O19, requests for services, to orders.

Source: HL7 v2 chapters 4.4 (messages), 4.5.1 (ORC), 4.5.3 (OBR), 4.5.6 (IPC); tables 0119 (ORC-1) and 0038 (ORC-5).
"""

import datetime as dt
from dataclasses import dataclass, field, replace

from schemas.codes import Coding
from schemas.delivery import Reading
from schemas.faults import InvalidPayload
from schemas.order import OrderControl, OrderStatus, ServiceOrder
from schemas.patient import Patient
from schemas.report import ReportCategory

from .categories import category
from .coded import coding
from .context import Context
from .er7 import Message, Segment
from .groups import Group, Placed
from .patients import patient
from .persons import staff_name
from .relations import ordering_facilities, placer_authorities
from .studies import accession_number, study_instance_uid

_NO_SEGMENT = Segment("", [], "")
_EARLIER_RESULTS = "PR"

# Table 0119. What is not here (send a number, a number is assigned, …) says nothing of whether the order stands.
_CONTROLS = {
    **dict.fromkeys(("NW", "RO", "PA", "CH"), OrderControl.NEW),
    **dict.fromkeys(("XO", "XX", "XR", "RP", "RU", "RQ"), OrderControl.CHANGE),
    **dict.fromkeys(("CA", "OC", "CR", "DC", "OD", "DR", "UA"), OrderControl.CANCEL),
    **dict.fromkeys(("HD", "OH", "HR"), OrderControl.HOLD),
    **dict.fromkeys(("RL", "OE", "OR", "UC", "UD", "UH"), OrderControl.RESUME),
}
_REPLACED = frozenset({"RP", "RU", "RQ"})
# Table 0038.
_STATUSES = {
    "A": OrderStatus.ACTIVE,
    "IP": OrderStatus.ACTIVE,
    "SC": OrderStatus.ACTIVE,
    "HD": OrderStatus.ON_HOLD,
    "CA": OrderStatus.REVOKED,
    "DC": OrderStatus.REVOKED,
    "RP": OrderStatus.REVOKED,
    "CM": OrderStatus.COMPLETED,
    "ER": OrderStatus.ENTERED_IN_ERROR,
}
_OF_CONTROL = {
    OrderControl.CANCEL: OrderStatus.REVOKED,
    OrderControl.HOLD: OrderStatus.ON_HOLD,
    OrderControl.RESUME: OrderStatus.ACTIVE,
}


@dataclass(slots=True)
class _Request:
    """An ORC with what stands behind it, or an OBR that came without one."""

    pid: Placed | None
    orc: Placed | None
    obr: Placed | None = None
    studies: list[Placed] = field(default_factory=list)


def read(context: Context) -> Reading:
    """The orders of a message. Raises InvalidPayload without a patient, an order, or a number to know it by."""
    requests = _requests(context.message)
    if not requests:
        raise InvalidPayload("expected an order, found none", where="ORC")
    if not any(request.pid for request in requests):
        raise InvalidPayload("expected a patient before the orders, found none", where="PID")
    replaced = any(_control_code(request, context) == "RO" for request in requests)
    patients: dict[int, Patient] = {}
    orders: dict[str, ServiceOrder] = {}
    for request in requests:
        order = _order(request, patients, context, replaced=replaced)
        if order:
            known = orders.get(order.key)
            orders[order.key] = together(known, order) if known else order
    if not orders:
        raise InvalidPayload("expected a placer or filler order number, found none", where="ORC-2")
    return Reading(orders=tuple(orders.values()))


def together(known: ServiceOrder, order: ServiceOrder) -> ServiceOrder:
    """One order for several services under one number."""
    return replace(known, services=tuple(dict.fromkeys((*known.services, *order.services))))


def _requests(message: Message) -> list[_Request]:
    found: list[_Request] = []
    pid: Placed | None = None
    current: _Request | None = None
    for index, segment in enumerate(message.segments):
        placed = (index, segment)
        if segment.name == "PID":
            pid, current = placed, None
        elif segment.name == "ORC":
            current = _Request(pid, placed)
            found.append(current)
        elif segment.name == "OBR":
            if current is None or current.obr:
                # One behind another shares the common order before both.
                current = _Request(pid, current.orc if current else None)
                found.append(current)
            current.obr = placed
        elif segment.name in ("IPC", "ZDS") and current:
            current.studies.append(placed)
    return found


def _control_code(request: _Request, context: Context) -> str:
    return context.first(request.orc[1], 1).upper() if request.orc else ""


def _order(request: _Request, patients: dict[int, Patient], context: Context, *, replaced: bool) -> ServiceOrder | None:
    """The order; None, and accounted for, where it is none or has no number."""
    orc = request.orc[1] if request.orc else _NO_SEGMENT
    obr = request.obr[1] if request.obr else _NO_SEGMENT
    index = (request.orc or request.obr or (0, orc))[0]
    if _control_code(request, context) == _EARLIER_RESULTS:
        context.ledger.kept(index, "an earlier result sent along, kept as sent")
        return None
    placer, filler = (context.token(orc, n) or context.token(obr, n) for n in (2, 3))
    if request.pid is None or not (placer or filler):
        missing = "an order without a number, left out" if request.pid else "stands before any patient, left out"
        context.ledger.flagged(index, 2 if request.pid else 0, missing)
        return None
    for placed in (request.orc, request.obr, *request.studies):
        if placed:
            context.ledger.mapped(placed[0])
    control = _control(request, index, context, replaced=replaced)
    service = coding(obr[4], context)
    accession, study = _images(request, service, context)
    return ServiceOrder(
        patient=_patient(request.pid, patients, context),
        organization=context.origin.source.organization,
        control=control,
        status=_OF_CONTROL.get(control) or _STATUSES.get(context.first(orc, 5).upper(), OrderStatus.ACTIVE),
        placer_order_number=placer,
        filler_order_number=filler,
        accession_number=accession,
        study_instance_uid=study,
        placer_authority=next((n for n in placer_authorities(orc[2] or obr[2], context) if n), ""),
        requesters=_requesters(orc, obr, context),
        services=(service,) if service.code else (),
        ordered_at=_ordered_at(request, context),
        requester=_requester(orc, obr, context),
        reason=(coding(orc[16], context).display or context.first(orc, 16)) if orc[16] else "",
    )


def _control(request: _Request, index: int, context: Context, *, replaced: bool) -> OrderControl:
    code = _control_code(request, context)
    if code in _REPLACED and replaced:
        # Beside its replacement (RO) in the same message it is over; alone it is what senders mean by a change.
        return OrderControl.CANCEL
    if not code:
        if request.orc:
            context.ledger.flagged(index, 1, "order control missing, taken as a new order")
        return OrderControl.NEW
    return _CONTROLS.get(code, OrderControl.STATUS)


def _patient(pid: Placed, patients: dict[int, Patient], context: Context) -> Patient:
    index, segment = pid
    if index not in patients:
        patients[index] = patient(segment, index, context)
    return patients[index]


def _images(request: _Request, service: Coding, context: Context) -> tuple[str, str]:
    """Accession number and Study Instance UID; OBR-18 means the former in imaging alone."""
    obr = request.obr[1] if request.obr else _NO_SEGMENT
    imaging = category(context.first(obr, 24), service, []) is ReportCategory.IMAGING
    if not (request.studies or imaging):
        return "", ""
    group = Group(request.pid, studies=request.studies)
    return accession_number(group, obr, context), study_instance_uid(group, [], context)


def _requester(orc: Segment, obr: Segment, context: Context) -> str:
    """ORC-12, OBR-16: the doctor who asked."""
    return next((staff_name(each, context) for each in context.repetitions(orc[12] or obr[16])), "")


def _requesters(orc: Segment, obr: Segment, context: Context) -> tuple[str, ...]:
    names = [*ordering_facilities(orc, context), *placer_authorities(orc[2] or obr[2], context)]
    return tuple(dict.fromkeys(name for name in names if name))


def _ordered_at(request: _Request, context: Context) -> dt.datetime | None:
    """ORC-9 (when it was entered), ORC-15 (from when it holds), OBR-6 (asked for)."""
    for placed, numbers in ((request.orc, (9, 15)), (request.obr, (6,))):
        for number in numbers if placed else ():
            assert placed is not None
            if at := context.moment(placed[1], number, placed[0]):
                return at
    return None
