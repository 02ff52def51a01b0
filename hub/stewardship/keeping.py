"""Who keeps the catalogue and the quality records, and that two do not do so at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from hub.access import Permission, allowed, require
from schemas.disclosure import Principal, Role
from schemas.faults import Conflict, Forbidden, InvalidPayload, NotFound
from schemas.organization import OrganizationKind
from storage import organizations
from storage.database import Collision, Database

_KEEP = Permission.KEEP_CATALOGUE
_LONGEST_REASON = 200


def keeps(tx: Connection, principal: Principal) -> bool:
    """Administrators, and quality officers of the health bureau: nobody passes the assessment of their own house."""
    if not allowed(principal, _KEEP) or principal.role is not Role.QUALITY:
        return allowed(principal, _KEEP)
    try:
        return organizations.organization(tx, principal.organization).organization.kind is OrganizationKind.BUREAU
    except NotFound:
        return False


def require_keeper(tx: Connection, principal: Principal) -> None:
    """Raises Forbidden for anybody else."""
    require(principal, _KEEP)
    if not keeps(tx, principal):
        raise Forbidden("only the health bureau keeps the catalogue and the quality records", where="organization")


@contextmanager
def saving(database: Database, principal: Principal) -> Iterator[Connection]:
    """A transaction of somebody who may keep these things. Raises Conflict where another was faster by a moment."""
    require(principal, _KEEP)
    try:
        with database.write() as tx:
            require_keeper(tx, principal)
            yield tx
    except Collision as error:
        raise Conflict("somebody else has just saved the same; look at it again", where="version") from error


def reason_of(text: str) -> str:
    """What a person gave as the reason. Raises InvalidPayload where that is nothing."""
    said = " ".join(text.split())[:_LONGEST_REASON]
    if not said:
        raise InvalidPayload("expected a reason", where="reason")
    return said
