"""CT slices of our own making, small, each an instance of a study."""

import io
from collections.abc import Iterable

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid


def ct(study_uid: str = "", *, patient: str = "P1", accession: str = "A1", number: int = 1, rows: int = 16) -> Dataset:
    """One slice. Slices of a study share its UID, patient and accession number."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.StudyInstanceUID = study_uid or generate_uid()
    # One series a study, its UID made from the study's: every slice of it names the same.
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=[ds.StudyInstanceUID])
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = patient, "Ce^Shi=测^试", "19800101", "M"
    ds.StudyDate, ds.StudyTime, ds.Modality = "20261120", "101010", "CT"
    ds.AccessionNumber, ds.StudyID = accession, "1"
    ds.SeriesNumber, ds.InstanceNumber = 1, number
    ds.Rows = ds.Columns = rows
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel = 15, 0, 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.PixelData = bytes(2 * rows * rows)
    return ds


def part10(ds: Dataset) -> bytes:
    """The slice as a file's bytes."""
    file = io.BytesIO()
    ds.save_as(file, enforce_file_format=True)
    return file.getvalue()


def data_set_of(file: bytes) -> bytes:
    """What follows the file meta group: the data set as it travels."""
    length = int.from_bytes(file[140:144], "little")
    return file[144 + length :]


def stow_body(files: Iterable[bytes]) -> tuple[bytes, str]:
    """The files as one STOW-RS request: its body and its media type."""
    boundary = "a-boundary-of-ours"
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = b"".join(head + file + b"\r\n" for file in files) + f"--{boundary}--\r\n".encode()
    return body, f'multipart/related; type="application/dicom"; boundary={boundary}'
