"""What the parts of the query verb share: one audited transaction for one question."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from hub import audit
from hub.access import Permission, require
from schemas.disclosure import Action, Disclosure
from schemas.faults import Fault
from storage.database import Database


class Reading:
    """Opens transactions in which something of a patient is read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def _reading(
        self,
        disclosure: Disclosure,
        action: Action,
        entity: str,
        *permissions: Permission,
        patient_id: int | None = None,
        detail: str = "",
    ) -> Iterator[Connection]:
        """Commits the audit record with the read. A read that found nothing, or was refused, leaves one as well."""
        try:
            require(disclosure.principal, *permissions)
            with self._database.write() as tx:
                yield tx
                audit.record(tx, disclosure, action, entity, patient_id=patient_id, detail=detail)
        except Fault as fault:
            with self._database.write() as tx:
                audit.record(tx, disclosure, action, entity, outcome=fault.category, patient_id=patient_id)
            raise
