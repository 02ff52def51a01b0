"""Subscription: a system that is called by rest-hook. Source: https://hl7.org/fhir/R4/subscription.html"""

import re

from schemas.faults import InvalidPayload, UnsupportedPayload
from schemas.subscription import Subscription, SubscriptionRecord

from .elements import MEDIA_TYPE, Resource, compact, expect, meta, text

_CRITERIA = re.compile(r"Communication\?recipient(?::identifier)?=(?:Organization/)?([^&=\s]{1,64})")
# Not those that frame the call: a second length would tell a proxy of another end than the system.
_HEADER = re.compile(
    r"(?!(?:connection|content-length|content-type|host|transfer-encoding):)([a-z0-9-]{1,64}): ?([\x20-\x7e]{0,1000})",
    re.IGNORECASE,
)
_MOST_HEADERS = 10


def to_fhir(record: SubscriptionRecord) -> Resource:
    """The subscription; the values of its headers stay here."""
    kept = record.subscription
    return compact(
        resourceType="Subscription",
        id=str(record.id),
        meta=meta(1, record.created_at),
        status=record.status.value,
        reason=text(kept.reason),
        criteria=f"Communication?recipient=Organization/{kept.organization}",
        error=text(record.error),
        channel=compact(
            type="rest-hook",
            endpoint=kept.endpoint,
            payload=MEDIA_TYPE if kept.with_content else None,
            header=[f"{name}: ***" for name, _ in kept.headers],
        ),
    )


def from_fhir(resource: Resource) -> Subscription:
    """What is asked for. Raises InvalidPayload, and UnsupportedPayload for any other channel or criteria."""
    expect(resource, "Subscription")
    channel = resource.get("channel")
    if not isinstance(channel, dict) or channel.get("type") != "rest-hook":
        raise UnsupportedPayload("expected a channel of type rest-hook", where="Subscription.channel.type")
    asked = _CRITERIA.fullmatch(str(resource.get("criteria", "")))
    if asked is None:
        expected = "expected Communication?recipient=Organization/CODE of an institution"
        raise UnsupportedPayload(expected, where="Subscription.criteria")
    payload = channel.get("payload", "")
    if payload not in ("", MEDIA_TYPE, "application/json"):
        raise UnsupportedPayload(f"expected {MEDIA_TYPE} or nothing", where="Subscription.channel.payload")
    return Subscription(
        organization=asked[1],
        endpoint=str(channel.get("endpoint", "")),
        reason=str(resource.get("reason", ""))[:200],
        headers=_headers(channel.get("header", [])),
        with_content=bool(payload),
    )


def _headers(lines: object) -> tuple[tuple[str, str], ...]:
    found = [_HEADER.fullmatch(str(line)) for line in lines] if isinstance(lines, list) else [None]
    if len(found) > _MOST_HEADERS or None in found:
        raise InvalidPayload("expected a few headers as `Name: value`", where="Subscription.channel.header")
    return tuple((each[1], each[2]) for each in found if each)
