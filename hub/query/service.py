"""The query verb: everything that can be asked, in one place for those who ask."""

from schemas.organization import OrganizationRecord
from storage import organizations

from .clinical import Clinical
from .custody import Custody
from .imaging import Imaging
from .relations import Relations
from .searching import Searching


class Query(Clinical, Imaging, Searching, Relations, Custody):
    """Every method takes the disclosure first, refuses what the role does not include, and audits itself."""

    def organizations(self) -> tuple[OrganizationRecord, ...]:
        """The institutions of the district; no patient's data."""
        with self._database.read() as tx:
            return organizations.organizations(tx)

    def organization(self, code: str) -> OrganizationRecord:
        """Raises NotFound."""
        with self._database.read() as tx:
            return organizations.organization(tx, code)
