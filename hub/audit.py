"""What the hub writes down about who saw and did what: in the transaction of the deed itself."""

import datetime as dt

from sqlalchemy import Connection

from schemas.delivery import Origin
from schemas.disclosure import Action, Disclosure, Purpose
from schemas.report import ReportRecord
from storage import audit
from storage.audit import Entry


def now() -> dt.datetime:
    """Our clock, UTC."""
    return dt.datetime.now(dt.UTC)


def entry(
    disclosure: Disclosure,
    action: Action,
    entity: str = "",
    *,
    patient_id: int | None = None,
    outcome: str = "success",
    detail: str = "",
) -> Entry:
    """The record of what somebody did. `entity` and `detail` hold references and codes, never a patient's data."""
    principal = disclosure.principal
    return Entry(
        at=now(),
        action=action,
        entity=entity,
        patient_id=patient_id,
        outcome=outcome,
        account=principal.account,
        role=principal.role.value,
        organization=principal.organization,
        purpose=disclosure.purpose.value,
        address=disclosure.address,
        detail=detail,
    )


def received(origin: Origin, delivery_id: int, *, outcome: str = "success", detail: str = "") -> Entry:
    """The record of a delivery: by a machine, or by the account that uploaded it."""
    return Entry(
        at=now(),
        action=Action.RECEIVE,
        entity=f"Delivery/{delivery_id}",
        outcome=outcome,
        account=origin.account,
        role="",
        organization=origin.source.organization,
        address=origin.address,
        detail=detail or f"{origin.channel.value} {origin.source.name}",
    )


def sent(report: ReportRecord, organization: str) -> Entry:
    """The record of a report that the hub itself reads to send it to the institution that ordered it."""
    return Entry(
        at=now(),
        action=Action.EXPORT,
        entity=f"DiagnosticReport/{report.id}/_history/{report.version}",
        patient_id=report.patient_id,
        organization=organization,
        purpose=Purpose.TREATMENT.value,
        detail="sent on to who ordered it",
    )


def record(
    tx: Connection,
    disclosure: Disclosure,
    action: Action,
    entity: str = "",
    *,
    patient_id: int | None = None,
    outcome: str = "success",
    detail: str = "",
) -> None:
    """Appends one record to the trail, in the caller's transaction; call it last there."""
    audit.add(tx, [entry(disclosure, action, entity, patient_id=patient_id, outcome=outcome, detail=detail)])
