"""Taking reports in: archive first, then read, identify, index, and only then promise."""

from .repairs import Repairs
from .senders import Senders
from .service import Ingest

__all__ = ["Ingest", "Repairs", "Senders"]
