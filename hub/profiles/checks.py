"""What may stand in a profile and in the registration of a sender; each refusal names the field."""

import re
import zoneinfo
from collections.abc import Collection
from functools import cache

from schemas.faults import InvalidPayload
from schemas.identifiers import HEALTH_CARD, RESIDENT_ID, valid_credit_code
from schemas.organization import Organization, Profile

# Python codecs of the character sets in which systems here write; others could run code or hide delimiters.
CHARSETS = ("utf-8", "gb18030", "big5hkscs", "iso8859-1", "cp1252")
# Identifier systems of the nation, beside the authorities of the district.
NATIONAL = {RESIDENT_ID: "resident identity number", HEALTH_CARD: "health card"}

_FIELD = re.compile(r"(PID|PD1|PV1|PV2|IN1|IN2|Z[A-Z0-9]{2})-[1-9][0-9]?(\.[1-9])?")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_MOST_AUTHORITIES = 50
_LONGEST = 100
_EITHER = ({"sex-0-male-1-female", "sex-0-female-1-male"},)


@cache
def zones() -> tuple[str, ...]:
    """The time zones that exist, by their IANA names."""
    return tuple(sorted(zoneinfo.available_timezones()))


def check_profile(profile: Profile, repairs: Collection[str], authorities: Collection[str]) -> None:
    """repairs: those that adapters offer. authorities: those known in the district. Raises InvalidPayload."""
    _check_authority(profile.authority)
    if profile.charset not in ("", *CHARSETS):
        raise InvalidPayload(f"expected a character set of {', '.join(CHARSETS)}", where="charset")
    if profile.time_zone not in zones():
        raise InvalidPayload("expected the IANA name of a time zone, such as Asia/Shanghai", where="time_zone")
    if profile.identity_field and not _FIELD.fullmatch(profile.identity_field):
        raise InvalidPayload(
            "expected a field of the patient such as PID-19, PV1-19.2 or ZPI-3", where="identity_field"
        )
    if set(profile.repairs) - set(repairs):
        raise InvalidPayload("expected repairs that the hub offers", where="repairs")
    if any(both <= set(profile.repairs) for both in _EITHER):
        raise InvalidPayload("these two repairs exclude each other", where="repairs")
    _check_authorities(profile, authorities)


def _check_authorities(profile: Profile, known: Collection[str]) -> None:
    sent = [each for each, _ in profile.authorities]
    if len(sent) > _MOST_AUTHORITIES or len(set(sent)) != len(sent):
        raise InvalidPayload(f"expected at most {_MOST_AUTHORITIES} authorities, each once", where="authorities")
    for each, meant in profile.authorities:
        if not each or len(each) > _LONGEST or not each.isprintable():
            raise InvalidPayload("expected an authority as it is sent", where="authorities")
        if meant not in NATIONAL and meant not in known and meant != profile.authority:
            raise InvalidPayload("expected an authority that is known here", where="authorities")


def _check_authority(authority: str) -> None:
    if not _CODE.fullmatch(authority):
        raise InvalidPayload("expected a short name of letters, digits, dots and dashes", where="authority")


def check_organization(organization: Organization) -> None:
    """Raises InvalidPayload."""
    if not _CODE.fullmatch(organization.code):
        raise InvalidPayload("expected a short name of letters, digits, dots and dashes", where="code")
    if not organization.name or len(organization.name) > _LONGEST or not organization.name.isprintable():
        raise InvalidPayload(f"expected a name of at most {_LONGEST} characters", where="name")
    if organization.credit_code and not valid_credit_code(organization.credit_code):
        raise InvalidPayload("expected 18 characters with a correct check character", where="credit_code")


def check_sender(name: str) -> None:
    """A name on the wire. Raises InvalidPayload."""
    if not name or len(name) > 64 or not name.isprintable() or name != name.strip():
        raise InvalidPayload("expected the calling AE title or MSH-4, at most 64 characters", where="name")
