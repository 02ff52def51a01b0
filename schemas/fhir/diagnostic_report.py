"""DiagnosticReport: one version of a report. Source: https://hl7.org/fhir/R4/diagnosticreport.html"""

from collections.abc import Sequence

from schemas.codes import DIAGNOSTIC_SERVICE
from schemas.faults import InvalidPayload
from schemas.identifiers import Identifier
from schemas.observation import Observation
from schemas.offered import PDF, is_offered, own_pdf
from schemas.patient import Patient
from schemas.report import Attachment, Pointer, Report, ReportCategory, ReportRecord, ReportStatus

from . import observation, overread, parent, references
from .elements import (
    EXTENSION,
    IDENTIFIER_TYPE,
    LOCAL_CODES,
    Resource,
    codes_of,
    compact,
    concept,
    expect,
    extension,
    extension_of,
    meta,
    moment,
    present,
    read_concept,
    read_moment,
    read_uri,
    text,
    uri,
)
from .patient import DOUBTFUL
from .references import NOWHERE, Links

FINDINGS = EXTENSION + "findings"
KEY = EXTENSION + "report-key"
RECORDING = EXTENSION + "ecg-recording-sha256"
DIGEST = EXTENSION + "sha256"
FLAG = LOCAL_CODES + "report-flag"
STUDY_UID = "urn:dicom:uid"

# HL7 table 0074. What comes in may be finer than the four kinds that the hub knows.
CATEGORIES = {
    ReportCategory.LABORATORY: ("LAB", "Laboratory"),
    ReportCategory.IMAGING: ("RAD", "Radiology"),
    ReportCategory.ECG: ("EC", "Electrocardiac (e.g., EKG, EEC, Holter)"),
    ReportCategory.OTHER: ("OTH", "Other"),
}
_LABORATORY = (
    "LAB",
    "BG",
    "BLB",
    "CG",
    "CH",
    "CP",
    "GE",
    "HM",
    "IMM",
    "MB",
    "MCB",
    "MYC",
    "OSL",
    "SP",
    "SR",
    "TX",
    "VR",
)
_IMAGING = ("RAD", "CT", "CTH", "CUS", "IMG", "NMR", "NMS", "OUS", "RUS", "RX", "VUS", "XRC")
SECTIONS = {
    **dict.fromkeys(_LABORATORY, ReportCategory.LABORATORY),
    **dict.fromkeys(_IMAGING, ReportCategory.IMAGING),
    "EC": ReportCategory.ECG,
    "OTH": ReportCategory.OTHER,
}
_ORDER_NUMBERS = {"PLAC": "Placer Identifier", "FILL": "Filler Identifier", "ACSN": "Accession ID"}


def to_fhir(record: ReportRecord, links: Links = NOWHERE) -> Resource:
    """That version of the report. Results are referenced where their ids are known, else contained."""
    report = record.report
    inside = () if record.observation_ids else report.observations
    tags = [{"system": FLAG, "code": flag} for flag in report.flags] + ([DOUBTFUL] if record.doubtful else [])
    source = f"{links.base}/Binary/delivery.{record.delivery_id}" if links.base else ""
    return compact(
        resourceType="DiagnosticReport",
        id=str(record.id),
        meta=meta(record.version, record.recorded_at, tags=tags, source=source),
        contained=[observation.contained(each, f"o{n}") for n, each in enumerate(inside, 1)],
        extension=_extensions(report),
        identifier=_identifiers(report, links),
        basedOn=present(_order(report)),
        status=report.status.value,
        category=[_category(report.category)],
        code=concept(report.code) or {"text": "?"},
        subject=references.to_patient(record.patient_id),
        effectiveDateTime=moment(report.observed_at),
        issued=moment(report.issued_at),
        performer=[references.to_organization(record.organization, links)],
        resultsInterpreter=overread.interpreters(report, links),
        specimen=present(compact(display=text(report.specimen))),
        result=[references.to("Observation", key) for key in record.observation_ids]
        or [{"reference": f"#o{n}"} for n in range(1, len(inside) + 1)],
        imagingStudy=present(_study(report.study_instance_uid, links)),
        conclusion=text(report.conclusion),
        conclusionCode=[each for coding in report.statements if (each := overread.conclusion(coding))],
        presentedForm=[_attachment(record, n, links) for n in range(len(report.attachments))]
        + [_pointer(each) for each in report.pointers]
        + present(_page(record, links)),
    )


def from_fhir(resource: Resource, patient: Patient, results: Sequence[Observation] = ()) -> Report:
    """The report that the resource describes, of `patient`; `results` where they are not contained in it."""
    expect(resource, "DiagnosticReport")
    observed_at = read_moment(resource.get("effectiveDateTime"))
    inside = [
        observation.from_fhir(each)
        for each in resource.get("contained", ())
        if each.get("resourceType") == "Observation"
    ]
    numbers = {kind: _number(resource, kind) for kind in _ORDER_NUMBERS}
    organizations = map(references.organization_code, resource.get("performer", ()))
    return Report(
        key=_key(resource),
        category=_read_category(resource),
        status=_read_status(resource),
        code=read_concept(resource.get("code")),
        patient=patient,
        organization=next(filter(None, organizations), ""),
        observed_at=observed_at,
        issued_at=read_moment(resource.get("issued")),
        identifiers=_read_identifiers(resource),
        placer_order_number=numbers["PLAC"],
        filler_order_number=numbers["FILL"],
        accession_number=numbers["ACSN"],
        specimen=next((each["display"] for each in resource.get("specimen", ()) if "display" in each), ""),
        performers=tuple(each["display"] for each in resource.get("resultsInterpreter", ()) if "display" in each),
        findings=extension_of(resource, FINDINGS).get("valueString", ""),
        conclusion=resource.get("conclusion", ""),
        observations=tuple(observation.without_report_time(each, observed_at) for each in (*inside, *results)),
        attachments=tuple(filter(None, map(_read_attachment, resource.get("presentedForm", ())))),
        study_instance_uid=_read_study(resource),
        recording=extension_of(resource, RECORDING).get("valueString", ""),
        flags=_flags(resource),
        parent=parent.from_fhir(extension_of(resource, parent.URL)),
        statements=tuple(read_concept(each) for each in resource.get("conclusionCode", ())),
        overread=overread.from_fhir(resource),
    )


def _extensions(report: Report) -> list[Resource]:
    return present(
        extension(KEY, valueString=text(report.key)),
        extension(FINDINGS, valueString=text(report.findings)),
        extension(RECORDING, valueString=text(report.recording)),
        parent.to_fhir(report.parent),
        overread.to_fhir(report.overread),
    )


def _category(category: ReportCategory) -> Resource:
    section, display = CATEGORIES[category]
    return {"coding": [{"system": DIAGNOSTIC_SERVICE, "code": section, "display": display}]}


def _read_category(resource: Resource) -> ReportCategory:
    sections = codes_of(resource.get("category"), DIAGNOSTIC_SERVICE)
    return next((SECTIONS[section] for section in sections if section in SECTIONS), ReportCategory.OTHER)


def _read_status(resource: Resource) -> ReportStatus:
    # `appended` adds to an amended report; what matters to a reader is that the earlier version is no longer whole.
    status = str(resource.get("status"))
    try:
        return ReportStatus.AMENDED if status == "appended" else ReportStatus(status)
    except ValueError as error:
        raise InvalidPayload(
            "expected a status that says what the report is", where="DiagnosticReport.status"
        ) from error


def _identifiers(report: Report, links: Links) -> list[Resource]:
    own = [compact(system=uri(each.system), value=text(each.value)) for each in report.identifiers if text(each.value)]
    assigner = references.to_organization(report.organization, links) if report.organization else None
    numbers = zip(
        _ORDER_NUMBERS.items(),
        (report.placer_order_number, report.filler_order_number, report.accession_number),
        strict=True,
    )
    # These numbers have no system of their own: they are unique within the institution that assigned them.
    return own + [
        compact(
            type={"coding": [{"system": IDENTIFIER_TYPE, "code": kind, "display": display}]},
            value=text(number),
            assigner=assigner if kind != "PLAC" else None,
        )
        for (kind, display), number in numbers
        if text(number)
    ]


def _order(report: Report) -> Resource | None:
    """The request that the report answers, by its placer's number: orders are not served as resources."""
    number = text(report.placer_order_number)
    kind = {"coding": [{"system": IDENTIFIER_TYPE, "code": "PLAC", "display": _ORDER_NUMBERS["PLAC"]}]}
    return {"type": "ServiceRequest", "identifier": {"type": kind, "value": number}} if number else None


def _number(resource: Resource, kind: str) -> str:
    typed = (
        each for each in resource.get("identifier", ()) if kind in codes_of([each.get("type", {})], IDENTIFIER_TYPE)
    )
    return next((str(each["value"]) for each in typed if "value" in each), "")


def _read_identifiers(resource: Resource) -> tuple[Identifier, ...]:
    return tuple(
        Identifier(read_uri(each.get("system", "")), each["value"])
        for each in resource.get("identifier", ())
        if "value" in each and not set(codes_of([each.get("type", {})], IDENTIFIER_TYPE)) & _ORDER_NUMBERS.keys()
    )


def _key(resource: Resource) -> str:
    own: str = extension_of(resource, KEY).get("valueString", "")
    named = _number(resource, "FILL") or next((each.value for each in _read_identifiers(resource)), "")
    if not (own or named):
        raise InvalidPayload("expected an identifier with a value", where="DiagnosticReport.identifier")
    return own or f"{named}|{read_concept(resource.get('code')).code}"


def _study(study_instance_uid: str, links: Links) -> Resource | None:
    if not study_instance_uid:
        return None
    known = links.studies.get(study_instance_uid)
    identifier = {"system": STUDY_UID, "value": f"urn:oid:{study_instance_uid}"}
    return compact(reference=f"ImagingStudy/{known}" if known else None, type="ImagingStudy", identifier=identifier)


def _read_study(resource: Resource) -> str:
    for each in resource.get("imagingStudy", ()):
        identifier = each.get("identifier", {})
        if identifier.get("system") == STUDY_UID:
            return str(identifier.get("value", "")).removeprefix("urn:oid:")
    return ""


def _attachment(record: ReportRecord, index: int, links: Links) -> Resource:
    attachment = record.report.attachments[index]
    # A SHA-256 does not fit beside an id into the 64 characters of a FHIR id: the position names the attachment.
    return compact(
        extension=[{"url": DIGEST, "valueString": attachment.digest}],
        contentType=text(attachment.media_type),
        url=f"{links.base}/Binary/{record.id}.{record.version}.{index + 1}".lstrip("/"),
        size=attachment.size,
        title=text(attachment.title),
    )


def _page(record: ReportRecord, links: Links) -> Resource | None:
    """The report as a PDF of ours, where it is offered and its source made none. Made when it is asked for."""
    if not links.base or not record.current or not is_offered(record.report) or own_pdf(record.report):
        return None
    title = text(record.report.code.display or record.report.code.code)
    return compact(contentType=PDF, url=f"{links.base}/Binary/page.{record.id}.{record.version}", title=title)


def _pointer(pointer: Pointer) -> Resource:
    """A document that its source keeps. As words: in `url` a program would go and fetch it."""
    title = ": ".join(part for part in (pointer.title, pointer.address) if part)
    return compact(contentType=text(pointer.media_type), title=text(title))


def _read_attachment(form: Resource) -> Attachment | None:
    digest = extension_of(form, DIGEST).get("valueString")
    if not digest:
        return None
    return Attachment(form.get("contentType", ""), form.get("title", ""), digest, form.get("size", 0))


def _flags(resource: Resource) -> tuple[str, ...]:
    tags = resource.get("meta", {}).get("tag", ())
    return tuple(tag["code"] for tag in tags if tag.get("system") == FLAG)
