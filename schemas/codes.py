"""Coded concepts and the code systems that the hub itself speaks, each with its source."""

import re
from dataclasses import dataclass

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
DIAGNOSTIC_SERVICE = "http://terminology.hl7.org/CodeSystem/v2-0074"
LOCAL = "urn:dxhub:codes:"
# The district's catalogue of mutual recognition: codes such as `L-718-7`.
CATALOGUE = "urn:dxhub:catalogue"
_LOINC_CODE = re.compile(r"[0-9]{1,7}-[0-9]")


@dataclass(frozen=True, slots=True)
class Coding:
    """A code within its system, as the source wrote it. `system` is a URI, `urn:dxhub:codes:<name>` for local ones."""

    code: str
    display: str = ""
    system: str = ""


# HL7 v2 table 0396 names to the URIs that FHIR uses; anything else stays a local system under its own name.
_SYSTEMS = {"LN": LOINC, "UCUM": UCUM, "DCM": DCM, "SCT": "http://snomed.info/sct"}


# Names of table 0396 for systems that are the same wherever they are named, beside the tables of HL7 itself.
_SHARED = frozenset(
    {
        *_SYSTEMS,
        *("ACR", "ART", "AS4", "AS4E", "ATC", "C4", "C5", "CAS", "CDCA", "CDCM", "CVX", "E", "E5", "EUCLIDES", "I10"),
        *("I10C", "I10P", "I9", "I9C", "I9CDX", "I9CP", "ICD10", "ICD10AM", "ICDO", "ICDO2", "ICDO3", "ISO", "ISO+"),
        *("IUPC", "IUPP", "MDC", "MDDX", "MEDC", "MVX", "NDC", "NIC", "NPI", "RC", "RXNORM", "SNM", "SNM3", "UMD"),
    }
)


def is_shared(name: str) -> bool:
    """Whether a coding system of this name (table 0396) is one for all; `LIS` or `99LAB` is each laboratory's own."""
    return name in _SHARED or name.startswith("HL7")


def system_uri(name: str) -> str:
    """The URI of a coding system named as in HL7 v2 table 0396; empty stays empty."""
    return _SYSTEMS.get(name, LOCAL + name if name else "")


def system_name(uri: str) -> str:
    """The inverse of `system_uri`; a URI that has no name of its own stays as it is."""
    return next((name for name, known in _SYSTEMS.items() if known == uri), uri.removeprefix(LOCAL))


def loinc_checks(code: str) -> bool:
    """Whether a text is a LOINC code whose check digit holds: modulus 10, weights 2 and 1 from the right.

    Source: LOINC Users' Guide, appendix C.
    """
    if not _LOINC_CODE.fullmatch(code):
        return False
    number, _, digit = code.partition("-")
    doubled = (int(each) * (2 - place % 2) for place, each in enumerate(reversed(number)))
    return -sum(sum(divmod(each, 10)) for each in doubled) % 10 == int(digit)
