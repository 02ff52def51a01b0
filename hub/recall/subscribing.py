"""Who may have a system called, and where to: over TLS, or within this machine."""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from hub import audit
from hub.access import Permission, require
from schemas.disclosure import Action, Disclosure
from schemas.faults import Forbidden, InvalidPayload, NotFound
from schemas.organization import OrganizationKind
from schemas.reach import Network, may_call
from schemas.subscription import Subscription, SubscriptionRecord, SubscriptionStatus
from storage import organizations, subscriptions
from storage.database import Database

_MANAGE = Permission.MANAGE_CONNECTIONS
_LONGEST = 500


class Subscribing:
    """An administrator registers systems of the own institution; the health bureau's, those of any.

    networks: that are not open to the public, in which systems may be called all the same.
    """

    def __init__(self, database: Database, *, allow_insecure: bool = False, networks: Sequence[Network] = ()) -> None:
        self._database = database
        self._allow_insecure = allow_insecure
        self._networks = networks

    def subscribe(self, disclosure: Disclosure, subscription: Subscription) -> SubscriptionRecord:
        """Registers a system for what happens from now on. Raises InvalidPayload, Forbidden, NotFound."""
        require(disclosure.principal, _MANAGE)
        self._check(subscription.endpoint)
        with self._database.write() as tx:
            if self._only(disclosure) not in ("", subscription.organization):
                raise Forbidden("one registers systems of one's own institution", where="Subscription.criteria")
            made = subscriptions.add(tx, subscription, audit.now())
            detail = f"{subscription.organization} {urlsplit(subscription.endpoint).hostname}"
            audit.record(tx, disclosure, Action.ADMINISTER, f"Subscription/{made}", detail=detail)
            return subscriptions.record(tx, made)

    def subscriptions(self, disclosure: Disclosure) -> tuple[SubscriptionRecord, ...]:
        """Those that the asker may manage."""
        require(disclosure.principal, _MANAGE)
        only = self._only(disclosure)
        with self._database.read() as tx:
            return subscriptions.records(tx, only)

    def subscription(self, disclosure: Disclosure, subscription_id: int) -> SubscriptionRecord:
        """Raises NotFound, also for what is not the asker's to manage."""
        for each in self.subscriptions(disclosure):
            if each.id == subscription_id:
                return each
        raise NotFound("no such subscription", where="Subscription")

    def unsubscribe(self, disclosure: Disclosure, subscription_id: int) -> None:
        """Never calls it again. Raises NotFound."""
        self.subscription(disclosure, subscription_id)
        with self._database.write() as tx:
            subscriptions.put_status(tx, subscription_id, SubscriptionStatus.OFF)
            audit.record(tx, disclosure, Action.ADMINISTER, f"Subscription/{subscription_id}", detail="off")

    def _only(self, disclosure: Disclosure) -> str:
        """The institution to which the asker is bound; empty for the health bureau's."""
        code = disclosure.principal.organization
        with self._database.read() as tx:
            bureau = organizations.organization(tx, code).organization.kind is OrganizationKind.BUREAU
        return "" if bureau else code

    def _check(self, endpoint: str) -> None:
        where = "Subscription.channel.endpoint"
        try:
            address = urlsplit(endpoint)
            host, _ = address.hostname or "", address.port
        except ValueError:
            host = ""
        if not host or address.scheme not in ("http", "https") or len(endpoint) > _LONGEST or address.username:
            raise InvalidPayload("expected an address like https://his.example/hooks", where=where)
        addresses = _written(host)
        # What a name stands for is looked at when it is called, each time: it may change after today.
        if not all(may_call(each, self._networks) for each in addresses):
            raise Forbidden("this network may not be called: see DXHUB_HOOK_NETWORKS", where=where)
        local = bool(addresses) and all(_is_loopback(each) for each in addresses)
        if address.scheme == "http" and not (self._allow_insecure or local):
            raise Forbidden("notices leave this machine only encrypted: expected https", where=where)


def _written(host: str) -> list[str]:
    """The addresses that a host names by itself: `127.1` and `2130706433` do as well; none for a name."""
    if host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost"):
        return ["127.0.0.1", "::1"]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return []
    return [str(each[4][0]) for each in found]


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
