"""Proof of custody and audit: what was promised is there, and nobody changed it."""

from collections.abc import Iterator

from schemas.faults import Fault
from storage import audit, deliveries, proofs, removals
from storage.database import Database
from storage.object_stream import sha256_of
from storage.objects import Objects


def verify(database: Database, objects: Objects) -> Iterator[str]:
    """One line for each thing that is not as it was promised; nothing when all is well."""
    with database.read() as tx:
        digests = list(deliveries.objects(tx))
        removed = removals.known_objects(tx)
        yield from proofs.contradictions(tx)
        for broken in audit.broken_links(tx):
            yield f"audit record {broken}: altered, or a record before it is missing"
    for digest in digests:
        if digest in removed and not objects.exists(digest):
            continue
        problem = _examine(objects, digest)
        if problem:
            yield f"object {digest}: {problem}"


def _examine(objects: Objects, digest: str) -> str:
    try:
        found = sha256_of(objects.stream(digest))
    except Fault as fault:
        return f"cannot be read ({fault.category})"
    return "" if found == digest else "its content is not what was received"
