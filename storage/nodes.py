"""The nodes of the DICOM network that an administrator registered. No patient data."""

from typing import Any

from sqlalchemy import Connection, select

from schemas.documents import from_json, to_json
from schemas.faults import Conflict, NotFound
from schemas.network import Node, NodeRecord

from . import organizations
from . import tables as t


def put(tx: Connection, node: Node, node_id: int | None = None) -> int:
    """Adds a node, or replaces one; its id. Raises NotFound for an unknown institution or id, Conflict for a title
    that another node has.
    """
    values = {
        "ae_title": node.ae_title,
        "organization_id": organizations.organization(tx, node.organization).id,
        "document": to_json(node),
    }
    taken = tx.scalar(select(t.dicom_node.c.id).where(t.dicom_node.c.ae_title == node.ae_title))
    if taken is not None and taken != node_id:
        raise Conflict("a node of this AE title is registered already", where="ae_title")
    if node_id is None:
        return int(tx.scalar(t.dicom_node.insert().returning(t.dicom_node.c.id), values) or 0)
    if not tx.execute(t.dicom_node.update().where(t.dicom_node.c.id == node_id).values(values)).rowcount:
        raise NotFound("no such node", where="node")
    return node_id


def remove(tx: Connection, node_id: int) -> None:
    """Forgets a node: it may ask for nothing any more and is sent nothing. Raises NotFound."""
    if not tx.execute(t.dicom_node.delete().where(t.dicom_node.c.id == node_id)).rowcount:
        raise NotFound("no such node", where="node")


def _record(row: Any) -> NodeRecord:
    return NodeRecord(row.id, from_json(Node, row.document))


def nodes(tx: Connection) -> tuple[NodeRecord, ...]:
    """Every node, by AE title."""
    return tuple(_record(row) for row in tx.execute(select(t.dicom_node).order_by(t.dicom_node.c.ae_title)))


def node(tx: Connection, node_id: int) -> NodeRecord:
    """Raises NotFound."""
    row = tx.execute(select(t.dicom_node).where(t.dicom_node.c.id == node_id)).first()
    if row is None:
        raise NotFound("no such node", where="node")
    return _record(row)


def named(tx: Connection, ae_title: str) -> Node | None:
    """The node of this AE title."""
    row = tx.execute(select(t.dicom_node).where(t.dicom_node.c.ae_title == ae_title)).first()
    return _record(row).node if row else None
