"""Who on the DICOM network may query, and where images may be sent: the administrator's page."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import RedirectResponse

from schemas.faults import Category, Fault
from schemas.network import Node, QueryRight

from .i18n import N_
from .render import page
from .sending import managing
from .session import Fields, Posting, Visit, Visiting

router = APIRouter(include_in_schema=False, dependencies=[Depends(managing)])

_NEW = Node("", "", tls=True, port=2762)
_MENU = "/destinations"  # the entry of the menu that all these pages belong to
RIGHTS = {
    QueryRight.NONE: N_("May not query"),
    QueryRight.OWN: N_("Own institution's images"),
    QueryRight.DISTRICT: N_("Images of every institution"),
}


@dataclass(frozen=True, slots=True)
class _Form:
    """A node as it stands in the form; `id` 0 for a new one."""

    id: int
    node: Node
    fault: Fault | None = None


@router.get("/nodes")
def nodes(visit: Visiting) -> Response:
    """Every node, what it may ask and where it listens."""
    found = visit.verbs.nodes.nodes(visit.disclosure)
    return page(visit, "nodes.html", found=found, **_values(visit))


@router.get("/nodes/new")
def new(visit: Visiting) -> Response:
    """The form of a node that is not there yet."""
    return _form(visit, _Form(0, _NEW))


@router.get("/nodes/{node_id}")
def node(visit: Visiting, node_id: int) -> Response:
    """The form of a node."""
    known = visit.verbs.nodes.node(visit.disclosure, node_id)
    return _form(visit, _Form(known.id, known.node))


@router.post("/nodes/new")
def add(visit: Posting, fields: Fields) -> Response:
    """Adds a node."""
    return _put(visit, fields, 0)


@router.post("/nodes/{node_id}")
def change(visit: Posting, fields: Fields, node_id: int) -> Response:
    """Changes a node, or forgets it."""
    if fields.get("decision") == "remove":
        visit.verbs.nodes.remove_node(visit.disclosure, node_id)
        return RedirectResponse("/nodes", status_code=303)
    return _put(visit, fields, node_id)


def _put(visit: Visit, fields: dict[str, str], node_id: int) -> Response:
    said = _said(fields)
    try:
        visit.verbs.nodes.put_node(visit.disclosure, said, node_id or None)
    except Fault as fault:
        if fault.category is Category.NOT_FOUND and fault.where == "node":
            raise
        return _form(visit, _Form(node_id, said, fault))
    return RedirectResponse("/nodes", status_code=303)


def _said(fields: dict[str, str]) -> Node:
    port, query = fields.get("port", ""), fields.get("query", "")
    return Node(
        ae_title=fields.get("ae_title", "").strip(),
        organization=fields.get("organization", ""),
        query=QueryRight(query) if query in set(QueryRight) else QueryRight.NONE,
        host=fields.get("host", "").strip(),
        port=int(port) if port.isascii() and port.isdecimal() and len(port) < 6 else 0,
        tls="tls" in fields,
        may_move="may_move" in fields,
    )


def _form(visit: Visit, form: _Form) -> Response:
    status = 400 if form.fault else 200
    return page(visit, "node.html", status=status, form=form, **_values(visit))


def _values(visit: Visit) -> dict[str, Any]:
    return {"path": _MENU, "organizations": _organizations(visit), "rights": RIGHTS}


def _organizations(visit: Visit) -> dict[str, object]:
    return {each.organization.code: each.organization for each in visit.verbs.query.organizations()}
