"""What an administrator does about sending on: where to, what was refused and why, and what senders must prove."""

import ipaddress
import re

from sqlalchemy import Connection

from hub import audit
from hub.access import Permission, require
from hub.disclosing import disclosing
from schemas.disclosure import Action, Disclosure
from schemas.dispatch import CHARSETS, Destination, DestinationRecord, DispatchRecord, DispatchState
from schemas.faults import Conflict, Forbidden, InvalidPayload, NotFound
from schemas.paging import Page
from storage import certificates, destinations, dispatches, organizations
from storage.database import Database

_MANAGE = Permission.MANAGE_CONNECTIONS
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:_-]{0,251}[A-Za-z0-9])?")
_IDENTITY = re.compile(r"(?:cn|dns|ip|uri|email):\S.{0,250}|sha256:[0-9a-f]{64}")
_LONGEST = 100


class Notify:
    """Every change is audited in its own transaction. allow_insecure: results may leave this machine in clear."""

    def __init__(self, database: Database, *, allow_insecure: bool = False) -> None:
        self._database = database
        self._allow_insecure = allow_insecure

    def destinations(self, disclosure: Disclosure) -> tuple[DestinationRecord, ...]:
        """Every destination, with how many reports wait and were refused there."""
        require(disclosure.principal, _MANAGE)
        with self._database.read() as tx:
            return destinations.destinations(tx)

    def destination(self, disclosure: Disclosure, destination_id: int) -> DestinationRecord:
        """Raises NotFound."""
        require(disclosure.principal, _MANAGE)
        with self._database.read() as tx:
            return destinations.destination(tx, destination_id)

    def put_destination(
        self, disclosure: Disclosure, destination: Destination, destination_id: int | None = None
    ) -> int:
        """Adds or changes a destination. Returns its id. Raises InvalidPayload, Forbidden, NotFound.

        What waits already keeps the bytes that were made for it; only the way it takes changes.
        """
        require(disclosure.principal, _MANAGE)
        self._check(destination)
        with self._database.write() as tx:
            kept = destinations.put(tx, destination, destination_id)
            said = f"{destination.organization} {destination.host}:{destination.port}"
            detail = f"{said}{' tls' if destination.tls else ''}{'' if destination.active else ' inactive'}"
            audit.record(tx, disclosure, Action.ADMINISTER, f"Destination/{kept}", detail=detail)
        return kept

    def _check(self, destination: Destination) -> None:
        if not destination.name.strip() or len(destination.name) > _LONGEST:
            raise InvalidPayload("expected a name for the destination", where="name")
        if not _HOST.fullmatch(destination.host):
            raise InvalidPayload("expected a host name or an address", where="host")
        if not 0 < destination.port < 65536:
            raise InvalidPayload("expected a port between 1 and 65535", where="port")
        if destination.charset not in CHARSETS:
            raise InvalidPayload("expected one of the known character sets", where="charset")
        if max(len(destination.receiving_application), len(destination.receiving_facility)) > _LONGEST:
            raise InvalidPayload("expected a shorter name", where="MSH-5, MSH-6")
        if not (destination.tls or self._allow_insecure or _is_loopback(destination.host)):
            raise Forbidden("results leave this machine only encrypted: switch TLS on", where="tls")

    def dispatches(
        self,
        disclosure: Disclosure,
        *,
        state: DispatchState | None = None,
        destination_id: int | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[DispatchRecord]:
        """What was to be sent on and what became of it; nothing of what the reports say."""
        with disclosing(self._database, disclosure, Action.SEARCH, "Dispatch", _MANAGE) as asked:
            return dispatches.records(
                asked.tx, disclosure, state=state, destination_id=destination_id, limit=limit, offset=offset
            )

    def retry(self, disclosure: Disclosure, dispatch_id: int) -> None:
        """Sends a refused report once more, the same bytes.

        Raises Conflict where it was not refused, or where a later version went the same way, which it would undo.
        """
        require(disclosure.principal, _MANAGE)
        with self._database.write() as tx:
            dispatches.record(tx, disclosure, dispatch_id)
            if dispatches.known_overtaken(tx, dispatch_id):
                raise Conflict("a later version of this report was sent; this one would undo it", where="dispatch")
            self._decide(tx, disclosure, dispatch_id, DispatchState.WAITING, "")
            audit.record(tx, disclosure, Action.REPLAY, f"Dispatch/{dispatch_id}")

    def give_up(self, disclosure: Disclosure, dispatch_id: int, reason: str) -> None:
        """Never sends it again. Raises InvalidPayload without a reason, Conflict where it was delivered."""
        require(disclosure.principal, _MANAGE)
        reason = reason.strip()
        if not reason:
            raise InvalidPayload("expected a reason", where="reason")
        with self._database.write() as tx:
            dispatches.record(tx, disclosure, dispatch_id)
            self._decide(tx, disclosure, dispatch_id, DispatchState.GIVEN_UP, reason)
            # The reason itself stays with the dispatch: a person's words may say whose report it is.
            audit.record(tx, disclosure, Action.ADMINISTER, f"Dispatch/{dispatch_id}", detail="given up")

    def _decide(
        self, tx: Connection, disclosure: Disclosure, dispatch_id: int, state: DispatchState, reason: str
    ) -> None:
        account = disclosure.principal.account
        if not dispatches.put_decision(tx, dispatch_id, state, account, reason, audit.now()):
            raise Conflict("this was decided already", where="dispatch")

    def certificates(self, disclosure: Disclosure) -> dict[str, tuple[str, ...]]:
        """By the sender's name on the wire: what its certificate must prove, any one of these; its name where none."""
        require(disclosure.principal, _MANAGE)
        with self._database.read() as tx:
            bound = certificates.all_identities(tx)
            return {source.name: bound.get(source.name, ()) for source in organizations.sources(tx)}

    def put_certificates(self, disclosure: Disclosure, source: str, identities: tuple[str, ...]) -> None:
        """Binds a registered sender to certificates; to its own name where none is said. Raises InvalidPayload."""
        require(disclosure.principal, _MANAGE)
        wanted = tuple(dict.fromkeys(each.strip().lower() for each in identities if each.strip()))
        for each in wanted:
            if not _IDENTITY.fullmatch(each):
                raise InvalidPayload(
                    "expected cn:, dns:, ip:, uri:, email: or sha256: and a value", where="certificate"
                )
        with self._database.write() as tx:
            if organizations.source(tx, source) is None:
                raise NotFound("this sender is not registered", where="source")
            certificates.put(tx, source, wanted)
            detail = f"certificates: {len(wanted)}"
            audit.record(tx, disclosure, Action.ADMINISTER, f"Source/{source}", detail=detail)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
