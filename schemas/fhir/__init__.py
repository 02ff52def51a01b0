"""FHIR R4 (4.0.1): one file per resource, canonical values to plain JSON documents and back.

`to_fhir` gives a dict as `json` knows it, decimals as Decimal so that 5.10 stays 5.10. `from_fhir` takes a resource
that was validated before (at the edge, by a library's models) and raises InvalidPayload where it cannot mean a
canonical value. What FHIR has no element for travels in an extension named in `schemas.fhir.elements`.
"""
