"""What an administrator says of the DICOM network: who may query, where images may be sent."""

import ipaddress
import re

from hub import audit
from hub.access import Permission, require
from schemas.disclosure import Action, Disclosure
from schemas.faults import Forbidden, InvalidPayload
from schemas.network import Node, NodeRecord
from storage import nodes
from storage.database import Database

_MANAGE = Permission.MANAGE_CONNECTIONS
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:_-]{0,251}[A-Za-z0-9])?")
# PS3.5 table 6.2-1: the default repertoire without a backslash, leading and trailing spaces apart.
_AE_TITLE = re.compile(r"[!-\[\]-~](?:[ -\[\]-~]{0,14}[!-\[\]-~])?")


class Nodes:
    """Every change is audited in its own transaction. allow_insecure: images may leave this machine in clear."""

    def __init__(self, database: Database, *, allow_insecure: bool = False) -> None:
        self._database = database
        self._allow_insecure = allow_insecure

    def nodes(self, disclosure: Disclosure) -> tuple[NodeRecord, ...]:
        """Every node, by AE title."""
        require(disclosure.principal, _MANAGE)
        with self._database.read() as tx:
            return nodes.nodes(tx)

    def node(self, disclosure: Disclosure, node_id: int) -> NodeRecord:
        """Raises NotFound."""
        require(disclosure.principal, _MANAGE)
        with self._database.read() as tx:
            return nodes.node(tx, node_id)

    def put_node(self, disclosure: Disclosure, node: Node, node_id: int | None = None) -> int:
        """Adds or changes a node. Returns its id. Raises InvalidPayload, Forbidden, NotFound, Conflict."""
        require(disclosure.principal, _MANAGE)
        self._check(node)
        with self._database.write() as tx:
            kept = nodes.put(tx, node, node_id)
            where = f"{node.host}:{node.port}{' tls' if node.tls else ''}" if node.host else "no address"
            detail = f"{node.ae_title} {node.organization} query {node.query.value}, {where}"
            audit.record(tx, disclosure, Action.ADMINISTER, f"DicomNode/{kept}", detail=detail)
        return kept

    def remove_node(self, disclosure: Disclosure, node_id: int) -> None:
        """Forgets a node. Raises NotFound."""
        require(disclosure.principal, _MANAGE)
        with self._database.write() as tx:
            detail = f"removed {nodes.node(tx, node_id).node.ae_title}"
            nodes.remove(tx, node_id)
            audit.record(tx, disclosure, Action.ADMINISTER, f"DicomNode/{node_id}", detail=detail)

    def _check(self, node: Node) -> None:
        if not _AE_TITLE.fullmatch(node.ae_title):
            raise InvalidPayload("expected an AE title of 1 to 16 characters", where="ae_title")
        if node.may_move and not node.host:
            raise InvalidPayload("expected a host for a node that images are sent to", where="host")
        if not node.host:
            return
        if not _HOST.fullmatch(node.host):
            raise InvalidPayload("expected a host name or an address", where="host")
        if not 0 < node.port < 65536:
            raise InvalidPayload("expected a port between 1 and 65535", where="port")
        if not (node.tls or self._allow_insecure or _is_loopback(node.host)):
            raise Forbidden("images leave this machine only encrypted: switch TLS on", where="tls")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
