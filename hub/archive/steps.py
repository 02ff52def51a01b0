"""Modality performed procedure steps, kept as received. Source: DICOM PS3.4 annex F."""

from dataclasses import replace

from hub import audit
from hub.completeness import completed
from schemas.delivery import Origin
from schemas.disclosure import Action
from schemas.faults import Conflict, NotFound
from schemas.network import ProcedureStep, StepMessage, StepState
from storage import audit as trail
from storage import procedure_steps
from storage.audit import Entry
from storage.database import Database

OVER = "the procedure step may no longer be updated"


class Steps:
    """IN PROGRESS until the modality says COMPLETED or DISCONTINUED; then never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_step(self, origin: Origin, step: ProcedureStep, message: StepMessage) -> None:
        """Keeps a new procedure step. Raises Conflict where its UID is taken."""
        now = audit.now()
        with self._database.write() as tx:
            if procedure_steps.known(tx, step.sop_instance_uid) is not None:
                raise Conflict("a procedure step of this UID is known already", where="(0000,1000)")
            step_id = procedure_steps.add(tx, origin.source.id, step, message, now)
            trail.add(tx, [_entry(origin, step_id, message.command)])

    def set_step(self, origin: Origin, uid: str, said: ProcedureStep | None, message: StepMessage) -> None:
        """Updates a step. said: what we read of the message, with empty parts where it says nothing; None: nothing.

        Raises NotFound for one that we do not know, or that is another sender's, Conflict for one that is over.
        """
        now = audit.now()
        with self._database.write() as tx:
            known = procedure_steps.known(tx, uid)
            if known is None or known[1] != origin.source.id:
                raise NotFound("no such procedure step", where="(0000,1001)")
            step_id, _, step = known
            if step.state is not StepState.IN_PROGRESS:
                raise Conflict(OVER, where="(0040,0252)")
            if said is not None:
                step = _merged(step, said)
                procedure_steps.put(tx, step_id, step, now)
                if step.state is StepState.COMPLETED and step.study_instance_uid and step.sop_instance_uids:
                    completed(tx, step.study_instance_uid, uid, step.sop_instance_uids, now)
            procedure_steps.add_message(tx, step_id, message, now)
            trail.add(tx, [_entry(origin, step_id, message.command)])


def _merged(step: ProcedureStep, said: ProcedureStep) -> ProcedureStep:
    return replace(
        step,
        state=said.state,
        study_instance_uid=said.study_instance_uid or step.study_instance_uid,
        accession_number=said.accession_number or step.accession_number,
        sop_instance_uids=said.sop_instance_uids or step.sop_instance_uids,
    )


def _entry(origin: Origin, step_id: int, command: str) -> Entry:
    return Entry(
        audit.now(),
        Action.RECEIVE,
        entity=f"ProcedureStep/{step_id}",
        organization=origin.source.organization,
        address=origin.address,
        detail=f"{command} {origin.source.name}",
    )
