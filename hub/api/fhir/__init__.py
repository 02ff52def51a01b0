"""FHIR R4 over HTTP: one file per interaction, one per resource type, and a table of both.

Source: https://hl7.org/fhir/R4/http.html and https://hl7.org/fhir/R4/search.html
"""

from .routes import router

__all__ = ["router"]
