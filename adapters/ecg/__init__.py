"""ECG recordings: DICOM waveform (read for the DICOM adapter), what carts export, and what is only a document."""

from adapters.contract import Adapter
from schemas.delivery import Format

from . import aecg, edf, mfer, muse, pdf, picture, scp_ecg, sierra, wfdb

_FORMATS = {
    Format.AECG: (aecg, "application/xml"),
    Format.SCP_ECG: (scp_ecg, "application/octet-stream"),
    Format.MUSE_XML: (muse, "application/xml"),
    Format.SIERRA_XML: (sierra, "application/xml"),
    Format.MFER: (mfer, "application/octet-stream"),
    Format.EDF: (edf, "application/octet-stream"),
    Format.WFDB: (wfdb, "application/zip"),
    Format.PDF: (pdf, "application/pdf"),
    Format.PICTURE: (picture, "image/png"),
}

ADAPTER = Adapter(
    name="ecg",
    readers={kind: module.read for kind, (module, _) in _FORMATS.items()},
    sniffers={kind: module.looks_like for kind, (module, _) in _FORMATS.items()},
    media_types={kind: media_type for kind, (_, media_type) in _FORMATS.items()},
)
