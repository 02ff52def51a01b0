"""Taking reports in: archive first, then read, identify, index, and only then promise."""

from .senders import Senders
from .service import Ingest

__all__ = ["Ingest", "Senders"]
