"""Is it alive, can it work, how much does it do. Open to everyone, and therefore without any patient's data."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from .dependencies import TheVerbs

router = APIRouter(tags=["health"])


class Readiness(BaseModel):
    """The state of everything that the hub stands on; `ok`, or what is wrong with it."""

    database: str = Field(examples=["ok"])
    objects: str = Field(examples=["ok"])


@router.get("/healthz", response_class=PlainTextResponse, summary="Liveness")
def healthz() -> str:
    """The process answers."""
    return "ok\n"


@router.get(
    "/readyz",
    response_model=Readiness,
    summary="Readiness",
    responses={503: {"model": Readiness, "description": "something that the hub stands on is away"}},
)
def readyz(verbs: TheVerbs) -> Response:
    """Database and object store answer; 503 where one does not."""
    states = verbs.ready()
    return JSONResponse(states, 200 if all(state == "ok" for state in states.values()) else 503)


@router.get("/metrics", response_class=PlainTextResponse, summary="Figures for Prometheus")
def metrics() -> Response:
    """Counters and durations in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
