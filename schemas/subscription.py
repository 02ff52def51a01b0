"""A system that wants to be called when somebody of its institution must be told of a change."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class SubscriptionStatus(StrEnum):
    """FHIR R4 subscription-status. ERROR: it has refused, or not answered, for so long that a person has to look."""

    REQUESTED = "requested"
    ACTIVE = "active"
    ERROR = "error"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Subscription:
    """organization: code of the institution whose notices are told. endpoint: called by POST, over TLS or within this
    machine. headers: names and values sent with each call, secrets among them: never shown again.
    with_content: the notice goes with the call; without, the system comes and asks.
    """

    organization: str
    endpoint: str
    reason: str
    headers: tuple[tuple[str, str], ...] = ()
    with_content: bool = True


@dataclass(frozen=True, slots=True)
class SubscriptionRecord:
    """A subscription as registered. error: what went wrong last; empty where nothing did."""

    id: int
    subscription: Subscription
    status: SubscriptionStatus
    created_at: dt.datetime
    error: str = ""
