"""ImagingStudy. Source: https://hl7.org/fhir/R4/imagingstudy.html"""

import datetime as dt
from collections.abc import Mapping, Sequence

from schemas.codes import DCM
from schemas.patient import Patient
from schemas.study import InstanceRecord, Series, SeriesRecord, Study, StudyRecord

from . import references
from .elements import (
    DATA_ABSENT,
    IDENTIFIER_TYPE,
    Resource,
    codes_of,
    compact,
    expect,
    meta,
    moment,
    present,
    read_moment,
    text,
)
from .references import NOWHERE, Links

STUDY_UID = "urn:dicom:uid"
STUDY_ID = "urn:dxhub:study-id"
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
_RFC_3986 = "urn:ietf:rfc:3986"
_CONNECTION = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"
_LATERALITY = {"L": ("7771000", "Left"), "R": ("24028007", "Right"), "B": ("51440002", "Right and left")}
_SNOMED = "http://snomed.info/sct"


def to_fhir(
    record: StudyRecord,
    links: Links = NOWHERE,
    series: Sequence[SeriesRecord] | None = None,
    instances: Mapping[str, Sequence[InstanceRecord]] | None = None,
) -> Resource:
    """The study; `series` None says that they are left out (a page of search results) and marks the resource so.

    instances: by Series Instance UID. The version is the number of instances: a study only ever grows.
    """
    study = record.study
    return compact(
        resourceType="ImagingStudy",
        id=str(record.id),
        meta=meta(max(record.instance_count, 1), record.received_at, tags=[SUBSETTED] if series is None else None),
        contained=present(_endpoint(links)),
        identifier=_identifiers(study, record.organization, links),
        status="available",
        modality=[{"system": DCM, "code": modality} for modality in record.modalities],
        subject=references.to_patient(record.patient_id),
        started=moment(record.observed_at),
        referrer=compact(display=text(study.referring_physician)),
        endpoint=[{"reference": "#dicomweb"}] if links.dicomweb else None,
        numberOfSeries=record.series_count,
        numberOfInstances=record.instance_count,
        description=text(study.description),
        series=[_series(each, (instances or {}).get(each.series.series_instance_uid, ())) for each in series or ()],
    )


def from_fhir(resource: Resource, patient: Patient) -> tuple[Study, tuple[Series, ...]]:
    """The study of `patient` and its series; date and time are those of the clock that `started` was written by."""
    expect(resource, "ImagingStudy")
    started = read_moment(resource.get("started"))
    values = {each.get("system", ""): each.get("value", "") for each in resource.get("identifier", ())}
    study = Study(
        study_instance_uid=values.get(STUDY_UID, "").removeprefix("urn:oid:"),
        patient=patient,
        study_date=started.strftime("%Y%m%d") if started else "",
        study_time=_time(started) if started else "",
        accession_number=_accession(resource),
        study_id=values.get(STUDY_ID, ""),
        description=resource.get("description", ""),
        referring_physician=resource.get("referrer", {}).get("display", ""),
    )
    return study, tuple(map(_read_series, resource.get("series", ())))


def _identifiers(study: Study, organization: str, links: Links) -> list[Resource]:
    accession = compact(
        type={"coding": [{"system": IDENTIFIER_TYPE, "code": "ACSN", "display": "Accession ID"}]},
        value=text(study.accession_number),
        assigner=references.to_organization(organization, links) if organization else None,
    )
    return [
        {"use": "official", "system": STUDY_UID, "value": f"urn:oid:{study.study_instance_uid}"},
        *([accession] if "value" in accession else []),
        *([{"system": STUDY_ID, "value": text(study.study_id)}] if text(study.study_id) else []),
    ]


def _accession(resource: Resource) -> str:
    typed = (each for each in resource.get("identifier", ()) if "ACSN" in codes_of([each.get("type", {})]))
    return next((str(each.get("value", "")) for each in typed), "")


def _endpoint(links: Links) -> Resource | None:
    if not links.dicomweb:
        return None
    return {
        "resourceType": "Endpoint",
        "id": "dicomweb",
        "status": "active",
        "connectionType": {"system": _CONNECTION, "code": "dicom-wado-rs", "display": "DICOM WADO-RS"},
        "payloadType": [{"text": "DICOM"}],
        "payloadMimeType": ["application/dicom"],
        "address": links.dicomweb,
    }


def _series(record: SeriesRecord, instances: Sequence[InstanceRecord]) -> Resource:
    series = record.series
    return compact(
        uid=series.series_instance_uid,
        number=series.series_number if series.series_number is not None and series.series_number >= 0 else None,
        modality=_modality(series.modality),
        description=text(series.description),
        numberOfInstances=record.instance_count,
        bodySite=_body_site(series.body_part),
        laterality=_laterality(series.laterality),
        instance=[_instance(each) for each in instances],
    )


def _modality(modality: str) -> Resource:
    # FHIR demands one; a series that names none says so.
    if not modality:
        return {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}
    return {"system": DCM, "code": modality}


def _body_site(body_part: str) -> Resource | None:
    # (0018,0015) is a defined term of DICOM, not a SNOMED code.
    return compact(display=text(body_part)) or None


def _laterality(laterality: str) -> Resource | None:
    known = _LATERALITY.get(laterality)
    if known is None:
        return compact(display=text(laterality)) or None
    return {"system": _SNOMED, "code": known[0], "display": known[1]}


def _instance(record: InstanceRecord) -> Resource:
    number = record.instance_number
    return compact(
        uid=record.sop_instance_uid,
        sopClass={"system": _RFC_3986, "code": f"urn:oid:{record.sop_class_uid}"},
        number=number if number is not None and number >= 0 else None,
    )


def _read_series(element: Resource) -> Series:
    side = element.get("laterality", {})
    sides = {code: letter for letter, (code, _) in _LATERALITY.items()}
    return Series(
        series_instance_uid=element.get("uid", ""),
        modality=element.get("modality", {}).get("code", ""),
        series_number=element.get("number"),
        description=element.get("description", ""),
        body_part=element.get("bodySite", {}).get("display", ""),
        laterality=sides.get(side.get("code", ""), side.get("display", "")),
    )


def _time(started: dt.datetime) -> str:
    return started.strftime("%H%M%S.%f" if started.microsecond else "%H%M%S")
