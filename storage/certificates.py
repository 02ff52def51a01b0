"""Which certificates prove which sender. No patient data."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select

from . import tables as t
from .statement import Statement

# Asked of every message.
_OF_SOURCE = Statement(
    select(t.sender_certificate.c.identity).where(t.sender_certificate.c.source_id == bindparam("source_id"))
)


def put(tx: Connection, source: str, identities: Iterable[str]) -> None:
    """Replaces what the sender of this name must prove: any one of these; nothing but its name where empty."""
    source_id = select(t.source.c.id).where(t.source.c.name == source).scalar_subquery()
    tx.execute(t.sender_certificate.delete().where(t.sender_certificate.c.source_id == source_id))
    rows = [{"source_id": source_id, "identity": identity} for identity in dict.fromkeys(identities)]
    for row in rows:
        tx.execute(t.sender_certificate.insert().values(row))


def identities(tx: Connection, source_id: int) -> frozenset[str]:
    """What the sender must prove, any one of these; empty where nobody said."""
    return frozenset(row.identity for row in _OF_SOURCE.all(tx, source_id=source_id))


def all_identities(tx: Connection) -> dict[str, tuple[str, ...]]:
    """What each sender must prove, by its name on the wire; those that need prove nothing are left out."""
    query = select(t.source.c.name, t.sender_certificate.c.identity).join(t.source).order_by(t.source.c.name)
    found: dict[str, list[str]] = {}
    for name, identity in tx.execute(query.order_by(t.sender_certificate.c.identity)):
        found.setdefault(name, []).append(identity)
    return {name: tuple(each) for name, each in found.items()}
