"""Deliveries, identity questions and the audit trail: what those behind the clinic ask."""

from hub.access import Permission
from schemas.delivery import DeliveryCriteria, DeliveryRecord
from schemas.disclosure import Action, AuditRecord, Disclosure
from schemas.paging import Page
from schemas.patient import DoubtState, IdentityDoubt
from storage import audit, deliveries, doubts

from .reading import Reading

# Who reads a report may see where it came from; an uploader, what became of what they sent.
_SEE_DELIVERY = (Permission.MANAGE_DELIVERIES, Permission.READ_REPORTS)
_LIST_DELIVERIES = (Permission.MANAGE_DELIVERIES, Permission.UPLOAD)


class Custody(Reading):
    """Custody and its questions."""

    def deliveries(
        self,
        disclosure: Disclosure,
        wanted: DeliveryCriteria | None = None,
        *,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[DeliveryRecord]:
        """Deliveries, newest first."""
        with self._reading(disclosure, Action.SEARCH, "Delivery", *_LIST_DELIVERIES) as asked:
            return deliveries.records(asked.tx, disclosure, wanted or DeliveryCriteria(), limit=limit, offset=offset)

    def delivery(self, disclosure: Disclosure, delivery_id: int) -> DeliveryRecord:
        """Raises NotFound."""
        with self._reading(disclosure, Action.READ, f"Delivery/{delivery_id}", *_SEE_DELIVERY) as asked:
            return deliveries.record(asked.tx, disclosure, delivery_id)

    def doubts(self, disclosure: Disclosure, state: DoubtState = DoubtState.OPEN) -> tuple[IdentityDoubt, ...]:
        """Identity questions in that state, oldest first."""
        with self._reading(disclosure, Action.SEARCH, "IdentityDoubt", Permission.RESOLVE_IDENTITY) as asked:
            found = doubts.records(asked.tx, disclosure, state)
            asked.shows(each for doubt in found for each in (doubt.patient_id, doubt.other_patient_id))
            return found

    def audit(
        self,
        disclosure: Disclosure,
        *,
        patient_id: int | None = None,
        account: str = "",
        action: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> Page[AuditRecord]:
        """The trail, newest first."""
        with self._reading(disclosure, Action.SEARCH, "AuditEvent", Permission.READ_AUDIT) as asked:
            return audit.records(
                asked.tx, disclosure, patient_id=patient_id, account=account, action=action, limit=limit, offset=offset
            )
