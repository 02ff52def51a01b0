"""ECG recordings: DICOM waveform (read for the DICOM adapter), HL7 aECG, SCP-ECG, and reports that are only a PDF."""

from adapters.contract import Adapter
from schemas.delivery import Format

from . import aecg, pdf, scp_ecg

ADAPTER = Adapter(
    name="ecg",
    readers={Format.AECG: aecg.read, Format.SCP_ECG: scp_ecg.read, Format.PDF: pdf.read},
    sniffers={Format.AECG: aecg.looks_like, Format.SCP_ECG: scp_ecg.looks_like, Format.PDF: pdf.looks_like},
    media_types={
        Format.AECG: "application/xml",
        Format.SCP_ECG: "application/octet-stream",
        Format.PDF: "application/pdf",
    },
)
