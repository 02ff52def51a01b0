"""What the parts of the query verb share: one audited transaction for one question."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from hub import audit
from hub.access import Permission
from hub.disclosing import Asked, disclosing
from schemas.disclosure import Action, Disclosure, Purpose
from schemas.report import ReportRecord
from storage import ledger
from storage.database import Database


def opened(tx: Connection, disclosure: Disclosure, found: Iterable[ReportRecord]) -> None:
    """Leaves word of who read which version to treat somebody: should it turn out wrong, they will be told."""
    if disclosure.purpose is Purpose.TREATMENT and disclosure.principal.account:
        ledger.add_openings(tx, disclosure, ((each.id, each.version) for each in found), audit.now())


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
