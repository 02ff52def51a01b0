"""DICOM: files and data sets to canonical values, and the C-STORE door."""

from adapters.contract import Adapter
from schemas.delivery import Format

from .description import describe
from .dimse import Service
from .documents import recurs
from .meaning import meaning
from .meta import is_dicom
from .part10 import read
from .peers import CommitmentCourier, services
from .recurring import Recurring
from .report_writer import ReportWriter
from .store_scp import StoreScp

listener = StoreScp
REPORT_WRITER = ReportWriter()

ADAPTER = Adapter(
    name="dicom",
    readers={Format.DICOM: Recurring(read, recurs)},
    sniffers={Format.DICOM: is_dicom},
    media_types={Format.DICOM: "application/dicom"},
    listener=listener,
    describers={Format.DICOM: describe},
    meanings={Format.DICOM: meaning},
)

__all__ = ["ADAPTER", "REPORT_WRITER", "CommitmentCourier", "Service", "listener", "services"]
