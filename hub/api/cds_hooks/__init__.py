"""CDS Hooks 2.0 (https://cds-hooks.hl7.org/2.0/): advice inside the ordering system, at the moment of ordering."""

from .routes import router

__all__ = ["router"]
