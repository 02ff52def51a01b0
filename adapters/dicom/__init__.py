"""DICOM: files and data sets to canonical values, and the C-STORE door."""

from adapters.contract import Adapter
from schemas.delivery import Format

from .description import describe
from .dimse import Service
from .meta import is_dicom
from .part10 import read
from .peers import CommitmentCourier, services
from .store_scp import StoreScp

listener = StoreScp

ADAPTER = Adapter(
    name="dicom",
    readers={Format.DICOM: read},
    sniffers={Format.DICOM: is_dicom},
    media_types={Format.DICOM: "application/dicom"},
    listener=listener,
    describers={Format.DICOM: describe},
)

__all__ = ["ADAPTER", "CommitmentCourier", "Service", "listener", "services"]
