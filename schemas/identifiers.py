"""Identifiers and the checks that their issuers define."""

import datetime as dt
import unicodedata
from dataclasses import dataclass

from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

# Object identifiers of the national health information standard (WS/T 500 series, root 2.16.156.10011).
RESIDENT_ID = "urn:oid:2.16.156.10011.1.3"
HEALTH_CARD = "urn:oid:2.16.156.10011.1.19"
CREDIT_CODE = "urn:oid:2.16.156.10011.1.5"
AUTHORITY = "urn:dxhub:authority:"
# Of a recording that came without any identifier: it stands for a patient of its own until a person says whose it is.
UNIDENTIFIED = "urn:dxhub:unidentified"
FACILITY = "urn:dxhub:organization"
# Of a DICOM instance or study, the value as `urn:oid:1.2.3`. Source: FHIR R4, section 2.36.2.
DICOM_UID = "urn:dicom:uid"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A value within the system that issued it; `system` is a URI, never empty for a patient's key."""

    system: str
    value: str


def authority_system(authority: str) -> str:
    """The URI of an assigning authority known here by a short name, such as a facility's code."""
    return AUTHORITY + authority


@dataclass(frozen=True, slots=True)
class ResidentNumber:
    """What a resident identity number says of its holder. Source: GB 11643."""

    number: str
    birth_date: dt.date
    male: bool


def resident_number(text: str) -> ResidentNumber | None:
    """The number in normal form when length, date and check digit hold, else None.

    The region's code is not looked up: counties are abolished and founded faster than any table of them, and a
    number outlives its county. Full-width digits and a lower-case x are taken as what they mean.
    """
    number = ric.compact(unicodedata.normalize("NFKC", text))
    if len(number) != 18 or not (number[:17].isascii() and number[:17].isdigit()):
        return None
    if number[-1] != ric.calc_check_digit(number):
        return None
    try:
        born = ric.get_birth_date(number)
    except ValidationError:
        return None
    return ResidentNumber(number, born, male=int(number[16]) % 2 == 1)


def valid_credit_code(text: str) -> bool:
    """Whether a unified social credit code's form and check character hold. Source: GB 32100."""
    return uscc.is_valid(text)
