"""Orders as they come, change and are taken back; and which of them a result answers.

An order and its result may come in either sequence. Where their patients agree, the order lends its resident identity
number to the result's, so that a result under a local number alone reaches the person; where they contradict each
other nothing is linked, and a person is asked.
"""

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from hub.identity import recognise, same_person
from hub.likeness import alike, believable_number, completed, contradicts, described_by, same_description
from schemas.faults import Forbidden, IdentityConflict
from schemas.order import OrderControl, OrderStatus, ServiceOrder
from schemas.organization import Source
from schemas.patient import Patient, Sex
from schemas.report import Report
from storage import doubts, orders, outbox, patients, reports
from storage.orders import Known

CONTRADICTED = "order-names-another"
_STOPPED = frozenset({OrderStatus.REVOKED, OrderStatus.ON_HOLD, OrderStatus.ENTERED_IN_ERROR})
# A sample number of the day comes again tomorrow: alone it ties nothing.
_SHORTEST_NUMBER = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """The order that a report answers. `agreed`: the patients do not contradict each other."""

    order: Known
    agreed: bool


def index_order(tx: Connection, order: ServiceOrder, source: Source, delivery_id: int, now: dt.datetime) -> None:
    """Adds or moves the order, and ties it to reports that came before it.

    Raises IdentityConflict where the order, or its patient's number, is known of somebody else.
    """
    patient_id = recognise(tx, order.patient, update=False, now=now)
    placer_id, placer = orders.known_organization(tx, order.requesters)
    known = orders.known_by_key(tx, placer_id or source.organization_id, order.key)
    if known is None:
        begun = replace(order, status=follow_status(OrderStatus.ACTIVE, order))
        orders.add_order(
            tx,
            begun,
            organization_id=placer_id or source.organization_id,
            patient_id=patient_id,
            delivery_id=delivery_id,
            now=now,
        )
    else:
        if not same_person(tx, known.patient_id, patient_id):
            raise IdentityConflict("this order is already bound to another patient", where="ORC-2")
        own = source.organization == (placer or source.organization)
        following = follow(known.order, order, own=own)
        if not own:
            _require_filler(known.order, order, following)
        if following != known.order:
            orders.put_order(tx, known.id, following, delivery_id=delivery_id, now=now)
    _tie_earlier(tx, order, now)


def _require_filler(known: ServiceOrder, said: ServiceOrder, following: ServiceOrder) -> None:
    """Raises Forbidden where a stranger would stop somebody else's order; its number alone can be guessed."""
    stops = following.status in _STOPPED and known.status not in _STOPPED
    fills = known.filler_order_number and known.filler_order_number == said.filler_order_number
    if stops and not fills:
        raise Forbidden("an order is stopped by whoever placed it, or by whoever fills it", where="ORC-1")


def follow(known: ServiceOrder, said: ServiceOrder, *, own: bool) -> ServiceOrder:
    """The order after a message about it. `own`: whoever placed it speaks; others move it and fill its gaps only."""
    changed = own and said.control is OrderControl.CHANGE
    first, second = (said, known) if changed else (known, said)
    services = first.services or second.services
    if own and said.control is OrderControl.NEW:
        services = tuple(dict.fromkeys((*known.services, *said.services)))
    return replace(
        known,
        control=said.control,
        status=follow_status(known.status, said),
        filler_order_number=known.filler_order_number or said.filler_order_number,
        accession_number=first.accession_number or second.accession_number,
        study_instance_uid=first.study_instance_uid or second.study_instance_uid,
        services=services,
        ordered_at=known.ordered_at or said.ordered_at,
        requester=first.requester or second.requester,
        reason=said.reason or known.reason,
    )


def follow_status(now: OrderStatus, said: ServiceOrder) -> OrderStatus:
    """Where an order stands after a message. What was taken back comes back only by being resumed."""
    if said.control is OrderControl.RESUME:
        return OrderStatus.ACTIVE if now in (OrderStatus.ON_HOLD, OrderStatus.REVOKED) else now
    if now not in (OrderStatus.ACTIVE, OrderStatus.ON_HOLD):
        return now
    if now is OrderStatus.ON_HOLD and said.control is OrderControl.NEW:
        return now  # the first message once more
    return said.status


def answered_by(tx: Connection, report: Report) -> Answer | None:
    """The order that a report answers; None where no order, or no one order, carries its numbers."""
    candidates = orders.known_for(tx, report)
    if not candidates:
        return None
    known = patients.known_by_key(tx, report.patient.key)
    subject = completed(known.patient, report.patient) if known else report.patient
    told = {*report.requesters, report.organization}
    pool = [each for each in candidates if each.requested_by in told]
    if not pool:
        return _of_stranger(tx, candidates, report, subject)
    agreeing = [each for each in pool if same_description(each.order.patient, subject)]
    if agreeing:
        return Answer(agreeing[-1], agreed=True)
    open_to = [each for each in pool if not contradicts(each.order.patient, subject)]
    if open_to:
        return Answer(open_to[0], agreed=True) if len(open_to) == 1 else None
    return Answer(pool[0], agreed=False) if len(pool) == 1 else None


def _of_stranger(tx: Connection, candidates: list[Known], report: Report, subject: Patient) -> Answer | None:
    """The order of an institution that the report does not name.

    Whoever ordered is shown the result, while numbers can be guessed and identifiers listed: so the report must name
    nobody else, and the order must describe the patient.
    """
    if orders.known_organization(tx, report.requesters)[1]:
        return None
    pool = [each for each in candidates if each.order.placer_authority in report.requesters]
    pool = pool or [each for each in candidates if not _weak(each.order, report)]
    if fitting := [each for each in pool if described_by(each.order.patient, subject)]:
        return Answer(fitting[-1], agreed=True) if len({each.requested_by for each in fitting}) == 1 else None
    contradicted = len(pool) == 1 and contradicts(pool[0].order.patient, subject)
    return Answer(pool[0], agreed=False) if contradicted else None


def _weak(order: ServiceOrder, report: Report) -> bool:
    shared = {order.placer_order_number, order.filler_order_number, order.accession_number} & {
        report.placer_order_number,
        report.filler_order_number,
        report.accession_number,
    }
    return not any(len(number) >= _SHORTEST_NUMBER or not number.isdecimal() for number in shared if number)


def with_lent_number(answer: Answer | None, patient: Patient) -> Patient:
    """The patient with the resident number that the order's patient has, where both are described alike."""
    if answer is None or not answer.agreed or believable_number(patient):
        return patient
    ordered = answer.order.order.patient
    number = believable_number(ordered)
    if number is None or not alike(ordered, patient):
        return patient
    sex = patient.sex if patient.sex is not Sex.UNKNOWN else ordered.sex
    return replace(patient, identifiers=(*patient.identifiers, number), sex=sex)


def tie(tx: Connection, report_id: int, answer: Answer, now: dt.datetime) -> None:
    """Keeps that a report answers an order; asks a person where the two patients contradict each other."""
    known = reports.known_by_id(tx, report_id)
    if known is None:
        return
    ordered = answer.order.patient_id
    agreed = answer.agreed or same_person(tx, known.patient_id, ordered)
    orders.put_answer(tx, report_id, answer.order.id, agreed=agreed)
    if not agreed:
        doubts.add(tx, known.patient_id, ordered, CONTRADICTED, now)


def _tie_earlier(tx: Connection, order: ServiceOrder, now: dt.datetime) -> None:
    for report_id in orders.known_reports(tx, order):
        known = reports.known_by_id(tx, report_id)
        answer = answered_by(tx, known.report) if known else None
        if known and answer and answer.order.order.key == order.key:
            described = patients.known_by_id(tx, known.patient_id).patient
            lent = with_lent_number(answer, described)
            if lent != described:
                recognise(tx, lent, update=False, now=now)
            tie(tx, report_id, answer, now)
            if answer.agreed:
                # Whoever ordered it could not be told when it came.
                outbox.add(tx, "report.ordered", {"report": report_id, "version": known.version}, now)
