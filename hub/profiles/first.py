"""The first institution of a fresh hub: nobody can sign in yet, so nobody can register it in the portal."""

from schemas.faults import NotFound
from schemas.organization import Organization
from storage import organizations
from storage.database import Database

from .checks import check_organization


def register_first(database: Database, organization: Organization) -> None:
    """Registers an institution that is not known yet; one that is known stays as it is. Raises InvalidPayload."""
    check_organization(organization)
    with database.write() as tx:
        try:
            organizations.organization(tx, organization.code)
        except NotFound:
            organizations.put_organization(tx, organization)
