"""Who is asked about. A number that several persons carry, or that comes with another description, means nobody."""

from dataclasses import dataclass

from sqlalchemy import Connection

from hub.likeness import contradicts
from schemas.disclosure import Disclosure
from schemas.identifiers import Identifier
from schemas.patient import Patient, PatientCriteria, PatientRecord
from storage import patients


@dataclass(frozen=True, slots=True)
class Whom:
    """patient_id: the hub's own. described: as another system knows the patient, by numbers, name, birth date, sex."""

    patient_id: int | None = None
    identifier: Identifier | None = None
    described: Patient | None = None

    def found(self, tx: Connection, disclosure: Disclosure) -> int | None:
        """The one person who is meant; None for nobody, and for more than one."""
        if self.patient_id is not None:
            return self.patient_id
        numbers = (self.identifier,) if self.identifier else self.described.identifiers if self.described else ()
        known = {each.id: each for number in numbers for each in _carrying(tx, disclosure, number)}
        if len(known) != 1:
            return None
        (record,) = known.values()
        # A mistyped number is somebody else's: the rest of what was said has to fit.
        if self.described and contradicts(record.patient, self.described):
            return None
        return record.id


def _carrying(tx: Connection, disclosure: Disclosure, number: Identifier) -> tuple[PatientRecord, ...]:
    if not number.system:
        return ()
    return patients.search(tx, disclosure, PatientCriteria(identifier=number, limit=3)).items
