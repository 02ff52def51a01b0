"""Who is asked about. A number that several persons carry, or that comes with another description, means nobody."""

from dataclasses import dataclass

from sqlalchemy import Connection

from hub.likeness import contradicts
from schemas.identifiers import Identifier
from schemas.patient import Patient
from storage import patients
from storage.patients import Known


@dataclass(frozen=True, slots=True)
class Whom:
    """patient_id: the hub's own. described: as another system knows the patient, by numbers, name, birth date, sex."""

    patient_id: int | None = None
    identifier: Identifier | None = None
    described: Patient | None = None

    def found(self, tx: Connection) -> int | None:
        """The one person who is meant; None for nobody, and for more than one."""
        if self.patient_id is not None:
            return self.patient_id
        numbers = (self.identifier,) if self.identifier else self.described.identifiers if self.described else ()
        known = [each for number in numbers for each in _carrying(tx, number)]
        if len({each.person_id for each in known}) != 1:
            return None
        # A mistyped number is somebody else's: the rest of what was said has to fit.
        if self.described and any(contradicts(each.patient, self.described) for each in known):
            return None
        return known[0].person_id


def _carrying(tx: Connection, number: Identifier) -> list[Known]:
    """Whoever carries a number, by its index; nothing of them is shown."""
    if not number.system:
        return []
    written = dict.fromkeys((number.value, number.value.upper()))
    return [each for value in written for each in patients.known_by_identifier(tx, Identifier(number.system, value))]
