"""Records that may be one person, side by side: a person decides."""

from dataclasses import dataclass

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from schemas.faults import InvalidPayload
from schemas.patient import DoubtState, IdentityDoubt, PatientRecord

from . import merges
from .render import page
from .session import Fields, Posting, Visit, Visiting

router = APIRouter(include_in_schema=False)
router.include_router(merges.router)

_REASON_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Pair:
    """A doubt with both records that it speaks of. differs: the fields in which they do not agree."""

    doubt: IdentityDoubt
    one: PatientRecord
    other: PatientRecord

    @property
    def single(self) -> bool:
        """Whether the question is about one record alone: whether its identity number is really its own."""
        return self.one.id == self.other.id

    @property
    def differs(self) -> frozenset[str]:
        ours, theirs = self.one.patient, self.other.patient
        pairs = {
            "name": (ours.name.text, theirs.name.text),
            "birth_date": (ours.birth_date, theirs.birth_date),
            "sex": (ours.sex, theirs.sex),
        }
        return frozenset(name for name, (a, b) in pairs.items() if a != b)


@router.get("/doubts")
def doubts(visit: Visiting, state: str = DoubtState.OPEN.value) -> Response:
    """The open questions, or those decided so far."""
    wanted = DoubtState(state) if state in set(DoubtState) else DoubtState.OPEN
    found = visit.verbs.query.doubts(visit.disclosure, wanted)
    return page(visit, "doubts.html", pairs=[_pair(visit, doubt) for doubt in found], state=wanted)


def _pair(visit: Visit, doubt: IdentityDoubt) -> Pair:
    query, disclosure = visit.verbs.query, visit.disclosure
    return Pair(doubt, query.patient(disclosure, doubt.patient_id), query.patient(disclosure, doubt.other_patient_id))


@router.post("/doubts/{doubt_id}")
def decide(visit: Posting, doubt_id: int, fields: Fields) -> Response:
    """Links the two, or keeps them apart, or takes such an answer back."""
    said, identity = fields.get("decision", ""), visit.verbs.identity
    if said == "reopen":
        identity.reopen(visit.disclosure, doubt_id)
    elif said in {"link", "keep-apart"}:
        reason = fields.get("reason", "").strip()[:_REASON_LIMIT]
        identity.decide(visit.disclosure, doubt_id, said == "link", reason)
    else:
        raise InvalidPayload("expected a decision: link, keep-apart or reopen", where="decision")
    return RedirectResponse("/doubts", status_code=303)
