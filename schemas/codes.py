"""Coded concepts and the code systems that the hub itself speaks, each with its source."""

from dataclasses import dataclass

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
DIAGNOSTIC_SERVICE = "http://terminology.hl7.org/CodeSystem/v2-0074"
LOCAL = "urn:dxhub:codes:"


@dataclass(frozen=True, slots=True)
class Coding:
    """A code within its system, as the source wrote it. `system` is a URI, `urn:dxhub:codes:<name>` for local ones."""

    code: str
    display: str = ""
    system: str = ""


# HL7 v2 table 0396 names to the URIs that FHIR uses; anything else stays a local system under its own name.
_SYSTEMS = {"LN": LOINC, "UCUM": UCUM, "DCM": DCM, "SCT": "http://snomed.info/sct"}


def system_uri(name: str) -> str:
    """The URI of a coding system named as in HL7 v2 table 0396; empty stays empty."""
    return _SYSTEMS.get(name, LOCAL + name if name else "")


def system_name(uri: str) -> str:
    """The inverse of `system_uri`; a URI that has no name of its own stays as it is."""
    return next((name for name, known in _SYSTEMS.items() if known == uri), uri.removeprefix(LOCAL))
