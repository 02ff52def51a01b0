"""An ECG examination as the files in which different carts would send it, one function each: bytes, nothing written."""

from .ecg_aecg_file import xml
from .ecg_dicom_file import part10
from .ecg_examination import Examination, statements
from .ecg_pdf_file import pdf
from .ecg_scp_file import record

__all__ = ["Examination", "part10", "pdf", "record", "statements", "xml"]
