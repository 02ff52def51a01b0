"""Final reports as documents: a PDF, and DICOM instances of their study."""

from .documents import Documents
from .filing import Filing, FilingThread
from .service import Offering

__all__ = ["Documents", "Filing", "FilingThread", "Offering"]
