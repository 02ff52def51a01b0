"""Looking after what mutual recognition rests on: the catalogue's items, and institutions' quality records."""

from .items import CatalogueDesk
from .records import QualityDesk

__all__ = ["CatalogueDesk", "QualityDesk"]
