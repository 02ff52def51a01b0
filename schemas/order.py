"""A request for a service, as its placer told it: what a result answers, and who waits for it."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from .codes import Coding
from .patient import Patient


class OrderStatus(StrEnum):
    """FHIR R4 request-status."""

    ACTIVE = "active"
    ON_HOLD = "on-hold"
    REVOKED = "revoked"
    COMPLETED = "completed"
    ENTERED_IN_ERROR = "entered-in-error"


class OrderControl(StrEnum):
    """What a message does to an order. Source: HL7 v2 table 0119, as far as it matters to who waits for a result.

    NEW makes an order, or repeats it. CHANGE replaces what it asks for. STATUS only moves it. CANCEL takes it back.
    RESUME gives a cancelled or held one back, as when its filler was unable to cancel.
    """

    NEW = "new"
    CHANGE = "change"
    STATUS = "status"
    CANCEL = "cancel"
    HOLD = "hold"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class ServiceOrder:
    """An order as one message tells it.

    placer_order_number: ORC-2, the number by which its placer knows it. placer_authority: who gave that number out.
    organization: code of the institution that sent the message: the one that ordered, or the one that answers.
    requesters: names that may be the ordering institution's, the likeliest first (ORC-21, ORC-17, ORC-2.2).
    services: what is asked for under this number. ordered_at: the placer's clock, aware of its zone.
    """

    patient: Patient
    organization: str
    control: OrderControl = OrderControl.NEW
    status: OrderStatus = OrderStatus.ACTIVE
    placer_order_number: str = ""
    filler_order_number: str = ""
    accession_number: str = ""
    study_instance_uid: str = ""
    placer_authority: str = ""
    requesters: tuple[str, ...] = ()
    services: tuple[Coding, ...] = ()
    ordered_at: dt.datetime | None = None
    requester: str = ""
    reason: str = ""

    @property
    def key(self) -> str:
        """What tells it apart from other orders of the institution that placed it."""
        return self.placer_order_number or f"filler:{self.filler_order_number}"


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order as the hub knows it now. `patient_id`: the person. `requested_by`: code of a registered institution."""

    id: int
    patient_id: int
    requested_by: str
    recorded_at: dt.datetime
    delivery_id: int
    order: ServiceOrder
