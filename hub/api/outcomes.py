"""The one place where faults become HTTP.

Below /fhir an OperationOutcome, for other machines plain JSON, for people a page.
"""

from collections.abc import Callable

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from schemas.faults import FAULTS, Category, Fault, Internal, InvalidPayload
from schemas.fhir import document, operation_outcome
from schemas.fhir.elements import MEDIA_TYPE

from .edge import Edge

STATUS: dict[Category, int] = {
    Category.INVALID: 400,
    Category.UNSUPPORTED: 422,
    Category.NOT_FOUND: 404,
    Category.CONFLICT: 409,
    Category.FORBIDDEN: 403,
    Category.BUSY: 503,
    Category.INTERNAL: 500,
}
# Long enough for a lock to pass, short enough that a person who waits does not give up.
RETRY_AFTER_S = 5

# What HTTP itself refuses, in our words; a status that is not here is a fault of ours from 500 on, else of the caller.
_CATEGORIES = {
    401: Category.FORBIDDEN,
    403: Category.FORBIDDEN,
    404: Category.NOT_FOUND,
    405: Category.UNSUPPORTED,
    406: Category.UNSUPPORTED,
    409: Category.CONFLICT,
    410: Category.NOT_FOUND,
    415: Category.UNSUPPORTED,
    422: Category.UNSUPPORTED,
    429: Category.BUSY,
    503: Category.BUSY,
}
_ISSUES = {401: "login", 410: "deleted", 413: "too-long", 408: "timeout", 429: "throttled"}
_MACHINES = ("/fhir", "/dicomweb", "/recognition", "/deliveries", "/cds-services", "/healthz", "/readyz", "/metrics")

Page = Callable[[Request, Fault, int], Response]


class Problem(BaseModel):
    """Why something was refused: what was expected, what was found, where."""

    category: Category = Field(description="the kind of fault; the HTTP status follows from it")
    text: str = Field(examples=["expected a reason of the list"])
    where: str = Field("", description="the place, in the caller's own terms", examples=["body.reason"])


def problem(fault: Fault) -> dict[str, str]:
    """A fault as plain JSON."""
    return {"category": fault.category.value, "text": fault.text, "where": fault.where}


def answer(request: Request, fault: Fault, status: int, headers: dict[str, str], page: Page | None = None) -> Response:
    """The fault in the words of whoever asked."""
    path = request.url.path
    if path.startswith("/fhir"):
        response = _outcome(fault, status)
    elif page is None or path.startswith(_MACHINES):
        response = JSONResponse(problem(fault), status)
    else:
        response = page(request, fault, status)
    response.headers.update(headers)
    return response


def _outcome(fault: Fault, status: int) -> Response:
    code = _ISSUES.get(status, operation_outcome.ISSUES[fault.category])
    outcome = operation_outcome.outcome(operation_outcome.issue(code, fault.text, fault.where))
    return Response(document.dumps(outcome), status, media_type=MEDIA_TYPE)


def _of_http(error: HTTPException) -> Fault:
    unnamed = Category.INTERNAL if error.status_code >= 500 else Category.INVALID
    return FAULTS[_CATEGORIES.get(error.status_code, unnamed)](str(error.detail))


def _of_validation(error: RequestValidationError) -> Fault:
    # Only the rule that was broken and the place: pydantic's full message repeats what was sent.
    first = error.errors()[0]
    return InvalidPayload(str(first["msg"]), where=".".join(map(str, first["loc"])))


def install(app: FastAPI, page: Page | None = None) -> None:
    """Teaches an application to answer every failure. page: how people see one; without it they too get JSON."""

    def on_fault(request: Request, error: Exception) -> Response:
        fault = error if isinstance(error, Fault) else Internal("unexpected failure")
        retry = {"Retry-After": str(RETRY_AFTER_S)} if fault.category is Category.BUSY else {}
        return answer(request, fault, STATUS[fault.category], retry, page)

    def on_http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        return answer(request, _of_http(error), error.status_code, dict(error.headers or {}), page)

    def on_validation(request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        return answer(request, _of_validation(error), 400, {}, page)

    app.add_exception_handler(Fault, on_fault)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_middleware(Edge, failed=on_fault)
