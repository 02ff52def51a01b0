"""Search results as DICOM JSON. Source: DICOM PS3.18 10.6.3.3 (tables 10.6.3-3 to 10.6.3-5), annex F.2."""

import json
from typing import Any

from schemas.identifiers import AUTHORITY
from schemas.patient import PersonName, Sex
from schemas.study import InstanceRecord, SeriesRecord, StudyRecord

Attributes = dict[str, Any]

_SEXES = {Sex.MALE: "M", Sex.FEMALE: "F", Sex.OTHER: "O"}


def element(vr: str, *values: object) -> Attributes:
    """An element of DICOM JSON; empty values are left out, none at all is an empty element."""
    given = [value for value in values if value not in (None, "", {})]
    return {"vr": vr, "Value": given} if given else {"vr": vr}


# Of a series, PS3.18 table 10.6.3-4: what the index does not hold.
OF_SERIES_HEADER = ("00080201", "00400244", "00400245", "00400275")
# Groups of images, waveforms, documents and pixels.
_BELOW_SERIES = ("0028", "3", "0042", "50", "54", "60", "7FE0", "0002")


def of_header(document: bytes) -> Attributes:
    """The elements of a header that are no bulk data."""
    if not document:
        return {}
    elements: Attributes = json.loads(document)
    return {tag: value for tag, value in elements.items() if "BulkDataURI" not in value}


def of_instance_alone(tag: str) -> bool:
    """Whether an element tells of one instance and not of the series or study above it."""
    return tag.startswith(_BELOW_SERIES) or tag in _INSTANCE_TAGS


_INSTANCE_TAGS = frozenset(
    {
        *("00080008", "00080012", "00080013", "00080014", "00080016", "00080018", "00080022", "00080023", "0008002A"),
        *("00080032", "00080033", "00081140", "00082112", "00083002", "00200012", "00200013", "00200032", "00200037"),
        *("00201041", "00180050", "00181151", "00181152"),
    }
)


def person_name(name: PersonName) -> dict[str, str]:
    """The component groups of a name: the first word of the alphabetic form is the family name."""
    latin = name.latin or ("" if not name.text.isascii() else name.text)
    groups = {"Alphabetic": latin.replace(" ", "^", 1)}
    if not name.text.isascii():
        groups["Ideographic" if latin else "Alphabetic"] = name.text
    return {group: text for group, text in groups.items() if text}


def of_study(record: StudyRecord, root: str) -> Attributes:
    """The attributes of a study that every client may expect."""
    study = record.study
    patient = study.patient
    born = patient.birth_date.strftime("%Y%m%d") if patient.birth_date else ""
    return {
        "00080005": element("CS", "ISO_IR 192"),
        "00080020": element("DA", study.study_date),
        "00080030": element("TM", study.study_time),
        "00080050": element("SH", study.accession_number),
        "00080056": element("CS", "ONLINE"),
        "00080061": element("CS", *record.modalities),
        "00080090": element("PN", person_name(PersonName(study.referring_physician))),
        "00081030": element("LO", study.description),
        "00081190": element("UR", f"{root}/studies/{study.study_instance_uid}"),
        "00100010": element("PN", person_name(patient.name)),
        "00100020": element("LO", patient.key.value),
        "00100021": element("LO", patient.key.system.removeprefix(AUTHORITY)),
        "00100030": element("DA", born),
        "00100040": element("CS", _SEXES.get(patient.sex, "")),
        "0020000D": element("UI", study.study_instance_uid),
        "00200010": element("SH", study.study_id),
        "00201206": element("IS", record.series_count),
        "00201208": element("IS", record.instance_count),
    }


def of_series(record: SeriesRecord, root: str) -> Attributes:
    """The attributes of a series that every client may expect."""
    series = record.series
    path = f"studies/{record.study_instance_uid}/series/{series.series_instance_uid}"
    return {
        "00080005": element("CS", "ISO_IR 192"),
        "00080056": element("CS", "ONLINE"),
        "00080060": element("CS", series.modality),
        "0008103E": element("LO", series.description),
        "00081190": element("UR", f"{root}/{path}"),
        "00180015": element("CS", series.body_part),
        "0020000D": element("UI", record.study_instance_uid),
        "0020000E": element("UI", series.series_instance_uid),
        "00200011": element("IS", series.series_number),
        "00200060": element("CS", series.laterality),
        "00201209": element("IS", record.instance_count),
    }


def of_instance(record: InstanceRecord, root: str) -> Attributes:
    """The attributes of an instance that every client may expect."""
    path = f"studies/{record.study_instance_uid}/series/{record.series_instance_uid}"
    image = record.rows > 0
    found = {
        "00080005": element("CS", "ISO_IR 192"),
        "00080016": element("UI", record.sop_class_uid),
        "00080018": element("UI", record.sop_instance_uid),
        "00080056": element("CS", "ONLINE"),
        "00081190": element("UR", f"{root}/{path}/instances/{record.sop_instance_uid}"),
        "00083002": element("UI", record.transfer_syntax_uid),
        "0020000D": element("UI", record.study_instance_uid),
        "0020000E": element("UI", record.series_instance_uid),
        "00200013": element("IS", record.instance_number),
    }
    if image:
        found["00280008"] = element("IS", record.frames)
        found["00280010"] = element("US", record.rows)
        found["00280011"] = element("US", record.columns)
    return found
