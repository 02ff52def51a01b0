"""The endpoints of CDS Hooks. Browsers of other sites' pages may call them: a token says who asks, no cookie."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response
from fastapi.responses import JSONResponse

from hub.api.dependencies import Asker, TheVerbs
from hub.api.outcomes import Problem
from schemas.card import ShownCard
from schemas.faults import Forbidden, NotFound

from . import cards, feedback, requests
from .discovery import SERVICE, services
from .examples import FEEDBACK, HOOK

_PATH = "/cds-services"
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}


def _cors(response: Response) -> None:
    # Any origin: nothing here is told by a cookie, and discovery is for everyone (CDS Hooks 2.0, CORS).
    response.headers.update(_CORS)


router = APIRouter(
    tags=["CDS Hooks"],
    dependencies=[Depends(_cors)],
    responses={"default": {"model": Problem, "description": "why it was refused"}},
)


@router.get(_PATH, summary="Which services there are")
def discovery() -> dict[str, Any]:
    """Open to everyone, as the standard asks."""
    return services()


@router.options(_PATH, include_in_schema=False)
@router.options(f"{_PATH}/{{rest:path}}", include_in_schema=False)
def preflight(rest: str = "") -> Response:
    """What a browser asks before it calls from another site's page."""
    del rest
    return Response(status_code=204, headers=_CORS)


@router.post(f"{_PATH}/{{service}}", summary="Prior results for draft orders")
def call(
    service: str,
    asked: Annotated[requests.HookRequest, Body(openapi_examples=HOOK)],
    request: Request,
    verbs: TheVerbs,
    asker: Asker,
) -> Response:
    """One card for each order that a prior result may answer. 412 where the patient was not sent."""
    _known(service)
    requests.check(asked)
    base = str(request.base_url).rstrip("/")
    try:
        whom = requests.whom(asked, f"{base}/fhir/R4")
    except requests.PrefetchNeeded:
        text = "expected the patient as prefetch, or this hub's FHIR service as fhirServer"
        return JSONResponse({"error": text}, 412, headers=_CORS)
    drafts = requests.orders(asked)
    shown = verbs.advising.cards(asker, drafts, whom)
    made = [cards.card(each, base, _patient(each)) for each in shown]
    return JSONResponse({"cards": made}, headers=_CORS)


def _patient(shown: ShownCard) -> int:
    return shown.answer.shown[0].prior.record.patient_id


@router.post(f"{_PATH}/{{service}}/feedback", summary="What became of cards")
def answer(
    service: str,
    said: Annotated[feedback.FeedbackRequest, Body(openapi_examples=FEEDBACK)],
    verbs: TheVerbs,
    asker: Asker,
) -> dict[str, list[int]]:
    """Each becomes a decision in the ledger: recognised, or not and why. Answers the ids of the decisions."""
    _known(service)
    if asker.only_organization:
        raise Forbidden("this role decides nothing", where="feedback")
    return {"decisions": [number for each in said.feedback for number in feedback.record(verbs, asker, each)]}


def _known(service: str) -> None:
    if service != SERVICE:
        raise NotFound("there is no such service", where="service")
