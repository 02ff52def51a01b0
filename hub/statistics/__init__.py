"""The figures of mutual recognition: for the health bureau those of the district, for an institution its own."""

from .service import Statistics

__all__ = ["Statistics"]
