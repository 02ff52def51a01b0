"""Subscription: systems that are called when a notice to their institution is raised.

Source: https://hl7.org/fhir/R4/subscription.html and https://hl7.org/fhir/R4/http.html (create, read, search, delete)
"""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Response

from schemas.fhir import bundle, subscription
from schemas.fhir.capability_statement import Capability
from schemas.fhir.elements import MEDIA_TYPE, Resource

from . import examples
from .call import TheCall, negotiate
from .parameters import key
from .rendering import rendered

router = APIRouter()
_NAME = "Subscription"
_EXAMPLE: dict[str, Any] = {"requestBody": {"content": {MEDIA_TYPE: {"example": examples.SUBSCRIPTION}}}}
CAPABILITY = Capability(
    _NAME,
    ("create", "read", "delete", "search-type"),
    versioning="no-version",
    documentation="A system that is called by rest-hook with each Communication to one institution.",
)


@router.post(
    f"/{_NAME}",
    summary="Have a system called when somebody must be told of a change",
    operation_id="create_Subscription",
    dependencies=[Depends(negotiate)],
    response_class=Response,
    openapi_extra=_EXAMPLE,
)
def create(call: TheCall, resource: Annotated[dict[str, Any], Body()]) -> Response:
    """Active at once, for what happens from now on."""
    made = call.verbs.recall.subscribe(call.disclosure, subscription.from_fhir(resource))
    answer = rendered(subscription.to_fhir(made), 201)
    answer.headers["Location"] = f"{call.base}/{_NAME}/{made.id}"
    return answer


@router.get(
    f"/{_NAME}",
    summary="The systems that are called",
    operation_id="get_Subscription",
    dependencies=[Depends(negotiate)],
    response_class=Response,
)
def search(call: TheCall) -> Response:
    """All that the asker may manage."""
    found: list[Resource] = [subscription.to_fhir(each) for each in call.verbs.recall.subscriptions(call.disclosure)]
    links = {"self": f"{call.base}/{_NAME}"}
    return rendered(
        bundle.searchset((("match", each) for each in found), total=len(found), links=links, base=call.base)
    )


@router.get(
    f"/{_NAME}/{{id}}",
    summary="One system that is called, and how it goes",
    operation_id="get_Subscription_id",
    dependencies=[Depends(negotiate)],
    response_class=Response,
)
def read(call: TheCall, id: str) -> Response:  # noqa: A002 the standard's word
    """`error` says why the last call came to nothing."""
    return rendered(subscription.to_fhir(call.verbs.recall.subscription(call.disclosure, key(id, _NAME))))


@router.delete(
    f"/{_NAME}/{{id}}",
    summary="Have a system called no more",
    operation_id="delete_Subscription_id",
    status_code=204,
    dependencies=[Depends(negotiate)],
    response_class=Response,
)
def delete(call: TheCall, id: str) -> Response:  # noqa: A002 the standard's word
    """What it has not been called for yet stays in the institution's inbox."""
    call.verbs.recall.unsubscribe(call.disclosure, key(id, _NAME))
    return Response(status_code=204)
