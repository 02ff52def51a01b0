"""FHIR as others speak it to us, and we to them: systems that are called when something changed."""

from .rest_hook import rest_hook

__all__ = ["rest_hook"]
