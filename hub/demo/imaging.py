"""DICOM studies as the district's modalities write them: chest CT, head MR, chest radiograph, abdominal ultrasound."""

import datetime as dt
import io
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    MRImageStorage,
    UltrasoundImageStorage,
)

from schemas.identifiers import RESIDENT_ID
from schemas.patient import Sex

from . import phantom
from .er7 import ZONE
from .people import Person

_IMPLEMENTATION = UID("2.25.310748120341512935519853275031426570218")
_CT_SIZE, _MR_SIZE, _DR_SIZE = 256, 256, 512


@dataclass(frozen=True, slots=True)
class Examination:
    """A study to be made. `serial` and `accession_number` are the institution's own; `seed` varies the anatomy.

    charset: DICOM's defined term. performed_at: aware of its zone; written as local time, as DICOM has it.
    """

    person: Person
    institution: str
    accession_number: str
    performed_at: dt.datetime
    seed: int
    charset: str = "GB18030"

    def uid(self, *parts: object) -> UID:
        """The same for the same examination. Source: DICOM PS3.5 B.2 (root 2.25)."""
        name = "/".join(map(str, (self.institution, self.accession_number, self.performed_at.isoformat(), *parts)))
        return UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, 'urn:dxhub:demo:image:' + name).int}")

    @property
    def study_instance_uid(self) -> str:
        return str(self.uid("study"))


def chest_ct(examination: Examination, number: int, slices: int) -> Dataset:
    """Slice `number` (from 1) of an axial series from the diaphragm upwards."""
    z = -150 + (number - 0.5) * 280 / slices
    dataset = _instance(examination, "CT", CTImageStorage, number, "胸部CT平扫", "CHEST")
    dataset.SeriesDescription = "Lung 10.0 B70f"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.KVP, dataset.XRayTubeCurrent, dataset.ConvolutionKernel = 120, 180, "B70f"
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = -1024, 1, "HU"
    dataset.WindowCenter, dataset.WindowWidth = [-550, 40], [1500, 400]
    _place(dataset, z, 280 / slices, 400 / _CT_SIZE)
    hounsfield = phantom.Chest(examination.seed).slice(z, _CT_SIZE)
    return _with_pixels(dataset, (hounsfield.astype(np.int32) + 1024).astype(np.uint16), bits=12)


def head_mr(examination: Examination, number: int, slices: int) -> Dataset:
    """Slice `number` (from 1) of a T2-weighted axial series."""
    z = -55 + (number - 0.5) * 110 / slices
    dataset = _instance(examination, "MR", MRImageStorage, number, "头颅MR平扫", "HEAD")
    dataset.SeriesDescription = "t2_tse_tra"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "SE", "SK", ""
    dataset.MRAcquisitionType, dataset.RepetitionTime, dataset.EchoTime = "2D", 4500, 98
    dataset.MagneticFieldStrength, dataset.EchoTrainLength = 1.5, 17
    dataset.WindowCenter, dataset.WindowWidth = 1100, 2300
    _place(dataset, z, 110 / slices, 240 / _MR_SIZE)
    return _with_pixels(dataset, phantom.head(z, _MR_SIZE, examination.seed), bits=12)


def chest_radiograph(examination: Examination) -> Dataset:
    """One upright view from behind."""
    dataset = _instance(examination, "DX", DigitalXRayImageStorageForPresentation, 1, "胸部正位DR", "CHEST")
    dataset.SeriesDescription, dataset.ViewPosition = "Chest PA", "PA"
    dataset.ImageType, dataset.PresentationIntentType = ["ORIGINAL", "PRIMARY"], "FOR PRESENTATION"
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", -1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.ImagerPixelSpacing, dataset.PresentationLUTShape = [0.78, 0.78], "IDENTITY"
    dataset.ImageLaterality, dataset.PatientOrientation, dataset.BurnedInAnnotation = "U", ["L", "F"], "NO"
    dataset.WindowCenter, dataset.WindowWidth, dataset.KVP = 2048, 4096, 120
    dataset.DetectorType, dataset.LossyImageCompression = "DIRECT", "00"
    dataset.AcquisitionContextSequence = Sequence([])
    dataset.AnatomicRegionSequence = Sequence([_code("51185008", "SCT", "Chest")])
    dataset.ViewCodeSequence = Sequence([_code("399348003", "SCT", "postero-anterior")])
    return _with_pixels(dataset, _radiograph(examination.seed), bits=12)


def abdominal_ultrasound(examination: Examination) -> Dataset:
    """One view of liver and gall bladder."""
    dataset = _instance(examination, "US", UltrasoundImageStorage, 1, "腹部超声", "ABDOMEN")
    dataset.SeriesDescription, dataset.LossyImageCompression = "Liver, gall bladder", "00"
    dataset.ImageType, dataset.BurnedInAnnotation = ["ORIGINAL", "PRIMARY", "ABDOMINAL", "0001"], "NO"
    return _with_pixels(dataset, phantom.abdomen_ultrasound(480, 640, examination.seed), bits=8)


@cache
def _radiograph(seed: int) -> npt.NDArray[np.uint16]:
    return phantom.Chest(seed, nodule=False).radiograph(_DR_SIZE)


def part10(dataset: Dataset) -> bytes:
    """The complete file, with preamble and file meta group."""
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


def identify(dataset: Dataset, examination: Examination) -> None:
    """Writes the patient, the order and the charset; text follows in that charset."""
    person = examination.person
    dataset.SpecificCharacterSet = examination.charset
    dataset.InstitutionName, dataset.StationName = examination.institution, f"{examination.institution}-1"
    dataset.AccessionNumber = examination.accession_number
    dataset.PatientName = f"{person.latin}={'^'.join(filter(None, (person.surname, person.given)))}"
    dataset.PatientID = person.record_number(examination.institution)
    dataset.IssuerOfPatientID = examination.institution
    dataset.PatientBirthDate = f"{person.birth_date:%Y%m%d}"
    dataset.PatientSex = "M" if person.sex is Sex.MALE else "F"
    if person.resident_number:
        other = Dataset()
        other.PatientID, other.IssuerOfPatientID = person.resident_number, RESIDENT_ID
        other.TypeOfPatientID = "TEXT"
        dataset.OtherPatientIDsSequence = Sequence([other])


def _instance(
    examination: Examination, modality: str, sop_class: UID, number: int, description: str, part: str
) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = _IMPLEMENTATION
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = examination.uid("instance", number)
    identify(dataset, examination)
    local = examination.performed_at.astimezone(ZONE)
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = f"{local:%Y%m%d}"
    dataset.StudyTime = dataset.SeriesTime = f"{local:%H%M%S}"
    dataset.AcquisitionTime = dataset.ContentTime = f"{local + dt.timedelta(seconds=number):%H%M%S}"
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = modality, "Dxhub Demo Instruments", modality
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "1", "1.0"
    dataset.ReferringPhysicianName, dataset.StudyID = "", examination.accession_number
    dataset.StudyDescription, dataset.BodyPartExamined = description, part
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = examination.uid("study"), examination.uid("series")
    dataset.SeriesNumber, dataset.InstanceNumber = 1, number
    return dataset


def _place(dataset: Dataset, z: float, thickness: float, spacing: float) -> None:
    """The slice's place in the patient: x to the left, y to the back, z to the head (PS3.3 C.7.6.2)."""
    corner = -spacing * (_CT_SIZE - 1) / 2
    dataset.FrameOfReferenceUID = dataset.StudyInstanceUID + ".1"
    dataset.PositionReferenceIndicator, dataset.PatientPosition = "", "HFS"
    dataset.ImagePositionPatient = [round(corner, 3), round(corner, 3), round(z, 3)]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.SliceLocation, dataset.SliceThickness = round(z, 3), round(thickness, 3)
    dataset.PixelSpacing = [round(spacing, 4), round(spacing, 4)]


def _with_pixels(dataset: Dataset, pixels: npt.NDArray[Any], *, bits: int) -> Dataset:
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = pixels.itemsize * 8, bits, bits - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    dataset["PixelData"].VR = "OW" if pixels.itemsize > 1 else "OB"
    return dataset


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
