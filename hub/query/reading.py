"""What the parts of the query verb share: one audited transaction for one question."""

from contextlib import AbstractContextManager

from hub.access import Permission
from hub.disclosing import Asked, disclosing
from schemas.disclosure import Action, Disclosure
from storage.database import Database


class Reading:
    """Opens transactions in which something of a patient is read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _reading(
        self,
        disclosure: Disclosure,
        action: Action,
        entity: str,
        *permissions: Permission,
        patient_id: int | None = None,
    ) -> AbstractContextManager[Asked]:
        """See hub.disclosing."""
        return disclosing(self._database, disclosure, action, entity, *permissions, patient_id=patient_id)
