"""ImagingStudy: what DICOM brought, with series and instances where one study is asked for."""

from collections.abc import Sequence

from schemas.faults import InvalidPayload, NotFound
from schemas.fhir import imaging_study
from schemas.fhir.capability_statement import SearchParameter
from schemas.fhir.elements import Resource
from schemas.paging import Page
from schemas.study import InstanceRecord, StudyCriteria, StudyRecord

from . import examples
from .call import Call
from .dates import days
from .kinds import Found, Include, Kind, Window
from .parameters import Given, Parameters, identifier
from .patients import CHAINED, PATIENT_PARAMETERS, patient_of


def _read(call: Call, key: int) -> Resource:
    query = call.verbs.query
    record = query.study(call.disclosure, key)
    uid = record.study.study_instance_uid
    instances: dict[str, list[InstanceRecord]] = {}
    for instance in query.instances(call.disclosure, uid):
        instances.setdefault(instance.series_instance_uid, []).append(instance)
    return imaging_study.to_fhir(record, call.links, query.series(call.disclosure, uid), instances)


def _version(call: Call, key: int, version: int) -> Resource:
    # A study is an index of what arrived: it grows, and how it stood before is not kept.
    current = _read(call, key)
    if current["meta"]["versionId"] != str(version):
        raise NotFound("only the present version of a study is kept", where="version")
    return current


def _versions(call: Call, key: int) -> list[Resource]:
    return [_read(call, key)]


def _search(call: Call, asked: Parameters, window: Window) -> Found:
    uids, accession = _named(asked.one("identifier"))
    first, last = days(asked.all("started"))
    criteria = StudyCriteria(
        patient_id=patient_of(call, asked),
        study_instance_uids=uids,
        accession_number=accession,
        date_from=first,
        date_to=last,
        modality=asked.text("modality").rpartition("|")[2],
        limit=window.count,
        offset=window.offset,
    )
    keys = asked.ids()
    page = _among(call, keys, criteria) if keys else call.verbs.query.studies(call.disclosure, criteria)
    return Found([imaging_study.to_fhir(record, call.links) for record in page.items], page.total)


def _among(call: Call, keys: Sequence[int], criteria: StudyCriteria) -> Page[StudyRecord]:
    """The studies of these ids that the criteria hold of; the index is asked by Study Instance UID."""
    uids = {record.study.study_instance_uid for record in _records(call, keys)}
    wanted = tuple(uids & set(criteria.study_instance_uids) if criteria.study_instance_uids else uids)
    if not wanted:
        return Page((), 0)
    narrowed = StudyCriteria(
        **{name: getattr(criteria, name) for name in StudyCriteria.__slots__} | {"study_instance_uids": wanted}
    )
    return call.verbs.query.studies(call.disclosure, narrowed)


def _records(call: Call, keys: Sequence[int]) -> list[StudyRecord]:
    found = []
    for key in keys:
        try:
            found.append(call.verbs.query.study(call.disclosure, key))
        except NotFound:
            continue
    return found


def _fetch(call: Call, keys: Sequence[int]) -> list[Resource]:
    return [imaging_study.to_fhir(record, call.links) for record in _records(call, keys)]


def _named(given: Given | None) -> tuple[tuple[str, ...], str]:
    """Study Instance UIDs or the accession number that an identifier names."""
    if given is None:
        return (), ""
    named = identifier(given, always_in_system=False)
    if named.system == imaging_study.STUDY_UID or named.value.startswith("urn:oid:"):
        return (named.value.removeprefix("urn:oid:"),), ""
    if set(named.value) & set("*?"):
        # These are wild in DICOM's matching, and no accession number is asked for by halves here.
        raise InvalidPayload("expected an accession number without wildcards", where=given.where)
    return (), named.value


KIND = Kind(
    name="ImagingStudy",
    documentation="A DICOM study; pages of results leave series out and say so. The version counts its instances.",
    example=examples.STUDY,
    search=_search,
    parameters=(
        *PATIENT_PARAMETERS,
        SearchParameter("identifier", "token", "Study Instance UID (urn:oid:…) or accession number", "A20240506001"),
        SearchParameter("started", "date", "day of the study; prefixes eq gt ge lt le sa eb", "ge2024-05-01"),
        SearchParameter("modality", "token", "modality of one of its series", "CT"),
    ),
    chained=CHAINED,
    includes={"patient": Include("subject", "Patient"), "subject": Include("subject", "Patient")},
    read=_read,
    version=_version,
    versions=_versions,
    fetch=_fetch,
)
