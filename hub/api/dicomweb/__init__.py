"""DICOMweb: QIDO-RS, WADO-RS, STOW-RS. Source: DICOM PS3.18 sections 8 and 10."""

from fastapi import APIRouter, FastAPI

from hub.api.outcomes import Problem

from . import qido, stow, wado, wado_bulk, wado_rendered
from .direct import Direct

router = APIRouter(
    prefix="/dicomweb",
    tags=["dicomweb"],
    responses={
        401: {"model": Problem, "description": "no bearer token, or not a valid one"},
        "default": {"model": Problem, "description": "why it was refused"},
    },
)
for part in (qido, wado_rendered, wado_bulk, wado, stow):
    router.include_router(part.router)

# The searches again, of one person's studies alone: for the viewer, which looks for priors by a Patient ID.
person_router = APIRouter(prefix="/viewer/{person}/dicomweb", include_in_schema=False)
person_router.include_router(qido.router)


def mount(app: FastAPI) -> None:
    """Puts the way that viewers ask most on the application, which holds the routers already."""
    person = [(person_router.prefix, qido.router)]
    routers = [(router.prefix, part.router) for part in (qido, wado_bulk, wado)] + person
    app.add_middleware(Direct, routers=routers, failed=app.exception_handlers)


__all__ = ["mount", "person_router", "router"]
