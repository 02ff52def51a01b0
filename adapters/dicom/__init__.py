"""DICOM: files and data sets to canonical values, and the C-STORE door."""

from adapters.contract import Adapter
from schemas.delivery import Format

from .description import describe
from .meta import is_dicom
from .part10 import read
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
