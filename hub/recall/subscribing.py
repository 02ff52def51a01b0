"""Who may have a system called, and where to: over TLS, or within this machine."""

import ipaddress
from urllib.parse import urlsplit

from hub import audit
from hub.access import Permission, require
from schemas.disclosure import Action, Disclosure
from schemas.faults import Forbidden, InvalidPayload, NotFound
from schemas.organization import OrganizationKind
from schemas.subscription import Subscription, SubscriptionRecord, SubscriptionStatus
from storage import organizations, subscriptions
from storage.database import Database

_MANAGE = Permission.MANAGE_CONNECTIONS
_LONGEST = 500


class Subscribing:
    """An administrator registers systems of the own institution; the health bureau's, those of any."""

    def __init__(self, database: Database, *, allow_insecure: bool = False) -> None:
        self._database = database
        self._allow_insecure = allow_insecure

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
        if address.scheme == "http" and not (self._allow_insecure or _is_loopback(host)):
            raise Forbidden("notices leave this machine only encrypted: expected https", where=where)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
