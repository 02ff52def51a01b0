"""Reading what is a patient's: one transaction for one question, and in it the record of who was shown what."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from schemas.disclosure import Action, Disclosure
from schemas.faults import Fault
from storage.audit import add as add_audit
from storage.database import Database

from . import audit
from .access import Permission, require


@dataclass
class Asked:
    """A question while it is answered.

    entity, detail: as in the audit record. patients: ids of the persons of whom the answer shows something.
    """

    tx: Connection
    entity: str
    patients: set[int] = field(default_factory=set)
    detail: str = ""

    def shows(self, patient_ids: Iterable[int]) -> None:
        """Has the audit trail name these persons."""
        self.patients.update(patient_ids)


@contextmanager
def disclosing(
    database: Database,
    disclosure: Disclosure,
    action: Action,
    entity: str,
    *permissions: Permission,
    patient_id: int | None = None,
) -> Iterator[Asked]:
    """Commits an audit record for each person shown, or one where there was none, together with the read.

    A read that found nothing, or was refused, leaves one as well. patient_id: the person who was asked about.
    """
    try:
        require(disclosure.principal, *permissions)
        with database.write() as tx:
            asked = Asked(tx, entity)
            yield asked
            if patient_id is not None:
                asked.shows([patient_id])
            named: list[int | None] = [*sorted(asked.patients)] or [None]
            entry = partial(audit.entry, disclosure, action, asked.entity, detail=asked.detail)
            add_audit(tx, [entry(patient_id=each) for each in named])
    except Fault as fault:
        with database.write() as tx:
            audit.record(tx, disclosure, action, entity, outcome=fault.category, patient_id=patient_id)
        raise
