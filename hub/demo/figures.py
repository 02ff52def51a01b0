"""What the hub holds in the end, asked of the hub itself."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from hub.access import disclosure_for
from hub.app import Hub
from schemas.delivery import DeliveryCriteria, DeliveryRecord, Format, State
from schemas.disclosure import Disclosure, Principal, Role
from schemas.recognition import Decided
from schemas.report import ReportCategory, ReportCriteria, ReportRecord

from .district import District

_PAGE = 500
# The fewest that the demo's own traffic comes to.
LEAST = {"dicom": 25, "hl7v2": 30, "ecg": 6}


def count(hub: Hub, district: District) -> dict[str, Any]:
    """Indexed deliveries by kind, reports, and decisions; a delivery that made an ECG report counts as ECG only."""
    ecg = {record.delivery_id for record in _ecg_reports(hub, as_role(district, Role.QUALITY))}
    kinds = Counter(_kind(record, ecg) for record in _deliveries(hub, as_role(district, Role.ADMIN)))
    reports = hub.verbs.query.reports(as_role(district, Role.QUALITY), ReportCriteria(limit=1)).total
    decided = hub.verbs.recognition.counts()
    return {
        "deliveries": {kind: kinds[kind] for kind in LEAST},
        "reports": reports,
        "recognised": decided.get(Decided.RECOGNISED, 0),
        "not_recognised": decided.get(Decided.NOT_RECOGNISED, 0),
    }


def refused(hub: Hub, district: District) -> dict[State, int]:
    """How many deliveries wait for a person, by state."""
    admin = as_role(district, Role.ADMIN)
    waiting = (State.HELD, State.QUARANTINED)
    return {state: hub.verbs.query.deliveries(admin, DeliveryCriteria(state), limit=1).total for state in waiting}


def as_role(district: District, role: Role) -> Disclosure:
    """The right of the district's account of that role."""
    account = next(each for each in district.accounts if each.role is role)
    return disclosure_for(Principal(account.account, account.name, role, account.organization))


def _deliveries(hub: Hub, disclosure: Disclosure) -> Iterator[DeliveryRecord]:
    offset: int | None = 0
    while offset is not None:
        page = hub.verbs.query.deliveries(disclosure, DeliveryCriteria(State.INDEXED), limit=_PAGE, offset=offset)
        yield from page.items
        offset = page.next_offset


def _ecg_reports(hub: Hub, disclosure: Disclosure) -> Iterator[ReportRecord]:
    offset: int | None = 0
    while offset is not None:
        criteria = ReportCriteria(category=ReportCategory.ECG, limit=_PAGE, offset=offset)
        page = hub.verbs.query.reports(disclosure, criteria)
        yield from page.items
        offset = page.next_offset


def _kind(record: DeliveryRecord, ecg: set[int]) -> str:
    if record.id in ecg:
        return "ecg"
    return {Format.DICOM: "dicom", Format.HL7V2: "hl7v2"}.get(record.format, "other")
