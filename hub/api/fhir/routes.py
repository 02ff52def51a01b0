"""All routes of the FHIR service, made of the table of resource types."""

from fastapi import APIRouter, Depends, Response

from schemas.faults import NotFound, UnsupportedPayload

from . import binary, description, history, metadata, read, search, subscriptions, vread
from .call import PREFIX, TheCall, negotiate
from .kinds import Kind
from .registry import KINDS

router = APIRouter(prefix=PREFIX, tags=["FHIR R4"], responses=description.REFUSALS)
_json = [Depends(negotiate)]


def _serve(kind: Kind) -> None:
    name = kind.name
    if kind.read:
        _get(f"/{name}/{{id}}", read.endpoint(kind), f"Read one {name}", description.of_one(kind))
    if kind.versions:
        shape = description.of_history(kind)
        _get(f"/{name}/{{id}}/_history", history.endpoint(kind), f"All versions of one {name}", shape)
    if kind.version:
        shape = description.of_one(kind)
        _get(f"/{name}/{{id}}/_history/{{vid}}", vread.endpoint(kind), f"Read one version of a {name}", shape)
    _get(f"/{name}", search.by_get(kind), f"Search {name}", description.of_search(kind))
    router.add_api_route(
        f"/{name}/_search",
        search.by_post(kind),
        methods=["POST"],
        summary=f"Search {name}, parameters in the body",
        operation_id=f"search_{name}_by_post",
        dependencies=_json,
        response_class=Response,
        **description.of_search_by_post(kind),
    )


def _get(path: str, endpoint: description.Endpoint, summary: str, shape: description.Shape) -> None:
    router.add_api_route(
        path,
        endpoint,
        methods=["GET"],
        summary=summary,
        operation_id="get_" + path.strip("/").replace("/", "_").replace("{", "").replace("}", ""),
        dependencies=_json,
        response_class=Response,
        **shape,
    )


_get("/metadata", metadata.metadata, "What this service can do", description.of_metadata())
router.add_api_route(
    "/Binary/{id}",
    binary.read_binary,
    methods=["GET"],
    summary="A document of a report, or the bytes as received",
    operation_id="get_Binary_id",
    response_class=Response,
    **description.of_binary(),
)
for _kind in KINDS.values():
    _serve(_kind)
router.include_router(subscriptions.router)


@router.get("/{path:path}", include_in_schema=False)
@router.post("/{path:path}", include_in_schema=False)
@router.put("/{path:path}", include_in_schema=False)
@router.patch("/{path:path}", include_in_schema=False)
@router.delete("/{path:path}", include_in_schema=False)
def nothing_here(call: TheCall, path: str) -> Response:
    """Whatever else is asked: a type or an interaction that is not served; told apart for the asker's sake."""
    del call  # the door is closed to strangers here too
    kind = path.partition("/")[0]
    if kind in KINDS or kind == subscriptions.CAPABILITY.kind:
        raise UnsupportedPayload("this interaction is not served; see metadata", where=kind)
    raise NotFound("this resource type is not served; see metadata", where="path")
