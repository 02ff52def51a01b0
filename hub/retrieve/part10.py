"""The head of a Part 10 file for a data set that came without one. Source: DICOM PS3.10 section 7.1."""

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID

from schemas.study import InstanceRecord


def file_meta(instance: InstanceRecord) -> bytes:
    """Preamble, `DICM` and group 0002; the same instance gives the same bytes."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(instance.sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(instance.sop_instance_uid)
    meta.TransferSyntaxUID = UID(instance.transfer_syntax_uid)
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    target = DicomBytesIO()
    write_file_meta_info(target, meta, enforce_standard=True)
    return bytes(128) + b"DICM" + target.getvalue()
