"""Who may send: sources registered by name; on a demonstration hub, strangers on this machine too."""

import datetime as dt
import ipaddress

from schemas.delivery import Channel, Claim, Origin
from schemas.faults import Forbidden
from schemas.organization import Source
from storage import certificates, organizations
from storage.database import Database

UNREGISTERED = "unregistered"
TAKES_STRANGERS = "takes-unregistered-senders"


class Senders:
    """Resolves what a peer claims to be to a registered source."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def identify(self, claim: Claim) -> Origin:
        """Raises Forbidden for a sender that nobody registered."""
        with self._database.read() as tx:
            source = organizations.source(tx, claim.name.strip())
            if source is not None:
                _require_proof(claim, source, certificates.identities(tx, source.id))
            elif _is_loopback(claim.address) and organizations.setting(tx, TAKES_STRANGERS) == "yes":
                source = organizations.source(tx, UNREGISTERED)
        if source is None:
            raise Forbidden("this sender is not registered", where=_NAMED[claim.channel])
        return _origin(source, claim.channel, claim.address)

    def of_account(self, organization: str, account: str, address: str) -> Origin:
        """The origin of what a person uploads: their institution."""
        with self._database.read() as tx:
            source = organizations.source(tx, organization)
        if source is None:
            raise Forbidden("this institution is not registered as a sender", where="account")
        origin = _origin(source, Channel.UPLOAD, address)
        return Origin(origin.source, origin.channel, origin.received_at, address, account)


def _require_proof(claim: Claim, source: Source, bound: frozenset[str]) -> None:
    """Raises Forbidden where the peer's certificate is another's, or where the sender must show one and did not.

    A sender that is bound to nothing proves itself by its own name, or its institution's, as common name or host name.
    """
    if claim.channel not in _PROVEN:
        return
    if claim.certificate is None:
        if bound and claim.channel in _ALWAYS_PROVEN:
            raise Forbidden("this sender must prove itself by its certificate", where=_NAMED[claim.channel])
        return
    names = {source.name.lower(), source.organization.lower()}
    if not claim.certificate & (bound or {f"{kind}:{name}" for kind in ("cn", "dns") for name in names}):
        raise Forbidden("the certificate is not this sender's", where=_NAMED[claim.channel])


# Doors that can ask for certificates.
_PROVEN = frozenset({Channel.MLLP, Channel.C_STORE})
# An institution's scanners seldom can what its laboratory system can: where the DICOM door asks nobody for a
# certificate, one that was bound for HL7 v2 does not close it.
_ALWAYS_PROVEN = frozenset({Channel.MLLP})
_NAMED = {
    Channel.C_STORE: "calling AE title",
    Channel.MLLP: "MSH-4",
    Channel.STOW_RS: "account",
    Channel.UPLOAD: "account",
    Channel.WATCH: "folder",
}


def _origin(source: Source, channel: Channel, address: str) -> Origin:
    return Origin(source, channel, dt.datetime.now(dt.UTC), address)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
