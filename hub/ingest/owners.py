"""Whose a patient's number is: who may correct what is known under it, and say that it is another's."""

from sqlalchemy import Connection

from schemas.identifiers import Identifier, authority_system
from schemas.organization import Source
from storage import organizations, patients


def owns(tx: Connection, source: Source, number: Identifier) -> bool:
    """Whether the number is the source's own: of its authority, or of nobody's and used by no other institution."""
    named = {source.authority, *(known for _, known in source.authorities)}
    if number.system in named | {authority_system(each) for each in named}:
        return True
    if organizations.another_registers(tx, number.system, source.authority):
        return False
    known = patients.known_by_key(tx, number)
    return known is None or not patients.known_elsewhere(tx, known.id, source.organization_id)
