"""DICOMweb: QIDO-RS, WADO-RS, STOW-RS. Source: DICOM PS3.18 sections 8 and 10."""

from fastapi import APIRouter

from hub.api.outcomes import Problem

from . import qido, stow, wado, wado_bulk, wado_rendered

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

__all__ = ["router"]
