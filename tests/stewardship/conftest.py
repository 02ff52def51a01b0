"""The desks over a migrated database, and who sits at them."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hub.access import disclosure_for
from hub.stewardship import CatalogueDesk, QualityDesk
from schemas.disclosure import Disclosure, Principal, Role
from schemas.organization import Organization, OrganizationKind
from storage import organizations, outbox
from storage.database import Database
from tests.engines import Engines

OFFICER = Principal("quality", "质控员", Role.QUALITY, "HB01")


@dataclass
class Desks:
    """The desks, and what they wrote for others."""

    database: Database
    items: CatalogueDesk
    quality: QualityDesk

    @property
    def officer(self) -> Disclosure:
        return disclosure_for(OFFICER)

    def told(self) -> list[dict[str, object]]:
        """What waits in the outbox."""
        with self.database.read() as tx:
            return [each.payload for each in outbox.pending(tx, 1000) if each.topic == "quality.changed"]


@pytest.fixture
def desks(migrated_urls: Engines) -> Iterator[Desks]:
    database = Database(migrated_urls.database_url)
    with database.write() as tx:
        for code in ("CHC01", "CHC02"):
            organizations.put_organization(tx, Organization(code, code))
        organizations.put_organization(tx, Organization("HB01", "卫健局", kind=OrganizationKind.BUREAU))
    yield Desks(database, CatalogueDesk(database), QualityDesk(database))
    database.close()
