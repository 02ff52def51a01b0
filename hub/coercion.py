"""The patient to whom a person moved a study, in what is handed out of it; what is stored stays as it was sent.

A workstation files images under the patient whom they name. Handed out as they were sent, images of a study that was
found to be another patient's would be filed under the wrong one once more, so they name the right one, and say beside
it what they named before. Source: DICOM PS3.3 C.2.2, C.12.1.1.9 (Original Attributes Sequence), PS3.4 C.4.2.1.
"""

import io
import json
from typing import Any, BinaryIO

from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.errors import InvalidDicomError

from schemas.faults import Internal
from schemas.identifiers import AUTHORITY
from schemas.patient import Patient, PersonName, Sex
from schemas.study_life import StudyChange

_SEXES = {Sex.MALE: "M", Sex.FEMALE: "F", Sex.OTHER: "O"}
# What else tells who somebody is: left out, for it is another person's.
_OTHERS_KEYWORDS = (
    "OtherPatientIDs",
    "OtherPatientIDsSequence",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientMotherBirthName",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "PatientBirthTime",
    "PatientAge",
    "MedicalRecordLocator",
    "IssuerOfPatientIDQualifiersSequence",
)
_ORIGINAL = "04000561"


def coerced_header(document: bytes, change: StudyChange) -> bytes:
    """A header in DICOM JSON as it names the patient now."""
    header: dict[str, Any] = json.loads(document)
    anew = json.loads(_patient(change.after).to_json())
    former = {tag: header[tag] for tag in _tags() if tag in header and header.get(tag) != anew.get(tag)}
    for tag in former:
        del header[tag]
    header |= anew
    if former:
        originals = header.setdefault(_ORIGINAL, {"vr": "SQ"})
        item = {"04000550": {"vr": "SQ", "Value": [former]}, **json.loads(_modification(change).to_json())}
        originals["Value"] = [*originals.get("Value", []), item]
    return json.dumps(dict(sorted(header.items())), ensure_ascii=False, separators=(",", ":")).encode()


def coerced_file(source: BinaryIO, change: StudyChange) -> bytes:
    """A Part 10 file as it names the patient now, in the transfer syntax in which it is stored.

    Raises Internal where it cannot be written: then it is not handed out at all.
    """
    try:
        ds = dcmread(source, force=True)
        ds.decode()
        former = Dataset()
        anew = _patient(change.after)
        for keyword in (*_KEYWORDS, *_OTHERS_KEYWORDS):
            if keyword in ds and ds.get(keyword) != anew.get(keyword):
                former[keyword] = ds[keyword]
                del ds[keyword]
        ds.update(anew)
        ds.SpecificCharacterSet = "ISO_IR 192"
        if len(former):
            item = _modification(change)
            item.ModifiedAttributesSequence = [former]
            ds.OriginalAttributesSequence = [*ds.get("OriginalAttributesSequence", []), item]
        target = io.BytesIO()
        ds.save_as(target, enforce_file_format=True)
    except (InvalidDicomError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
        raise Internal("the instance cannot be written with its present patient", where=type(error).__name__) from error
    return target.getvalue()


def coerced_object(source: BinaryIO, change: StudyChange, data_set_offset: int) -> BinaryIO:
    """The same for whoever reads the data set alone, which begins where it does in the stored object."""
    content = coerced_file(source, change)
    # Behind preamble and prefix stands the group length of the file meta information (PS3.10 7.1).
    start = 144 + int.from_bytes(content[140:144], "little")
    return io.BytesIO(bytes(data_set_offset) + content[start:])


_KEYWORDS = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")


def _tags() -> list[str]:
    return [f"{tag_for_keyword(keyword):08X}" for keyword in (*_KEYWORDS, *_OTHERS_KEYWORDS)]


def _patient(patient: Patient) -> Dataset:
    ds = Dataset()
    ds.PatientName = _name(patient.name)
    ds.PatientID = patient.key.value
    ds.IssuerOfPatientID = patient.key.system.removeprefix(AUTHORITY)[:64]
    ds.PatientBirthDate = patient.birth_date.strftime("%Y%m%d") if patient.birth_date else ""
    ds.PatientSex = _SEXES.get(patient.sex, "")
    return ds


def _name(name: PersonName) -> str:
    latin = name.latin.replace(" ", "^", 1)
    if name.text.isascii():
        return latin or name.text
    return f"{latin}={name.text}"


def _modification(change: StudyChange) -> Dataset:
    item = Dataset()
    item.AttributeModificationDateTime = change.changed_at.strftime("%Y%m%d%H%M%S+0000")
    item.ModifyingSystem = "dxhub"
    item.SourceOfPreviousValues = ""
    item.ReasonForTheAttributeModification = "CORRECT"
    return item
