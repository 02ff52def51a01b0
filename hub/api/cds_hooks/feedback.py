"""What became of cards: a decision of the doctor who saw them. Source: CDS Hooks 2.0, Feedback."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from hub.verbs import Verbs
from schemas.card import Answering
from schemas.disclosure import Disclosure
from schemas.faults import InvalidPayload
from schemas.recognition import Decided

from .cards import REASONS, suggestion_id

_COMMENT = 1000


class OverrideReason(BaseModel):
    """Why a card was not followed."""

    model_config = ConfigDict(extra="ignore")

    reason: dict[str, Any] = Field(default_factory=dict, description="a Coding of the card's overrideReasons")
    userComment: str = Field("", max_length=_COMMENT)


class Feedback(BaseModel):
    """What became of one card."""

    model_config = ConfigDict(extra="ignore")

    card: UUID
    outcome: Literal["accepted", "overridden"]
    acceptedSuggestions: list[dict[str, Any]] = Field(default_factory=list)
    overrideReason: OverrideReason | None = None
    outcomeTimestamp: str = ""


class FeedbackRequest(BaseModel):
    """The body of a call."""

    model_config = ConfigDict(extra="ignore")

    feedback: list[Feedback] = Field(min_length=1, max_length=50)


def record(verbs: Verbs, asker: Disclosure, said: Feedback) -> list[int]:
    """Decides about each report that the card rested on; the ids of the decisions.

    An overridden card without a reason decides nothing: it was closed. The same feedback twice decides once.
    """
    uuid = str(said.card)
    kept, before = verbs.advising.card(asker, uuid)
    reason = _reason(said)
    if said.outcome == "overridden" and not reason:
        return []
    suggested = said.acceptedSuggestions if said.outcome == "accepted" else []
    if any(each.get("id") != suggestion_id(uuid) for each in suggested):
        raise InvalidPayload("expected the suggestion of this card", where="feedback.acceptedSuggestions")
    outcome = f"{said.outcome} {reason}".strip()
    if outcome == before:
        return []
    made = verbs.recognition.decide_all(
        asker,
        kept.reports,
        verdict=Decided.RECOGNISED if said.outcome == "accepted" else Decided.NOT_RECOGNISED,
        reason=reason,
        comment=said.overrideReason.userComment if said.overrideReason else "",
        order=kept.order,
        item=kept.item,
        answering=Answering(uuid, before, outcome),
    )
    return [each.id for each in made]


def _reason(said: Feedback) -> str:
    if said.outcome != "overridden" or said.overrideReason is None:
        return ""
    told = said.overrideReason.reason
    if told.get("system", REASONS) != REASONS:
        raise InvalidPayload("expected a reason of the card", where="feedback.overrideReason.reason.system")
    code = told.get("code", "")
    return code if isinstance(code, str) else ""
