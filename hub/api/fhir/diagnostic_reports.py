"""DiagnosticReport: every version of it, and the search behind a timeline."""

from collections.abc import Sequence

from schemas.codes import DIAGNOSTIC_SERVICE
from schemas.faults import InvalidPayload
from schemas.fhir import diagnostic_report
from schemas.fhir.capability_statement import SearchParameter
from schemas.fhir.elements import Resource
from schemas.identifiers import Identifier
from schemas.report import ReportCategory, ReportCriteria, ReportRecord, ReportStatus

from . import examples
from .call import Call
from .dates import interval
from .kinds import Found, Include, Kind, Window
from .organizations import organization_of
from .parameters import Given, NoMatch, Parameters, code_of, identifier, token
from .patients import CHAINED, PATIENT_PARAMETERS, patient_of


def _mapped(call: Call, records: Sequence[ReportRecord]) -> list[Resource]:
    links = call.links_with(record.report.study_instance_uid for record in records)
    return [diagnostic_report.to_fhir(record, links) for record in records]


def _read(call: Call, key: int) -> Resource:
    return _mapped(call, [call.verbs.query.report(call.disclosure, key)])[0]


def _version(call: Call, key: int, version: int) -> Resource:
    return _mapped(call, [call.verbs.query.report(call.disclosure, key, version)])[0]


def _versions(call: Call, key: int) -> list[Resource]:
    return _mapped(call, call.verbs.query.report_versions(call.disclosure, key))


def _search(call: Call, asked: Parameters, window: Window) -> Found:
    system, code = code_of(asked)
    since, until = interval(asked.all("date"))
    number, study_uid = _number(asked.one("identifier"))
    criteria = ReportCriteria(
        patient_id=patient_of(call, asked),
        identifier=number,
        category=category_of(asked.one("category")),
        code=code,
        code_system=system,
        since=since,
        until=until,
        statuses=_statuses(asked),
        organization=organization_of(call, asked),
        study_instance_uid=study_uid,
        ids=asked.ids(),
        newest_first=window.newest_first,
        limit=window.count,
        offset=window.offset,
    )
    page = call.verbs.query.reports(call.disclosure, criteria)
    return Found(_mapped(call, page.items), page.total)


def category_of(given: Given | None) -> ReportCategory | None:
    """The category of a section of HL7 table 0074; also under the name that the hub gives it."""
    if given is None:
        return None
    system, code = token(given)
    if system not in (None, DIAGNOSTIC_SERVICE):
        raise NoMatch
    if code in frozenset(ReportCategory):
        return ReportCategory(code)
    # Only the four codes that are served match: a finer one that came in is served as its section.
    served = {section: category for category, (section, _) in diagnostic_report.CATEGORIES.items()}
    if code not in served:
        raise NoMatch
    return served[code]


def _statuses(asked: Parameters) -> tuple[ReportStatus, ...]:
    named = [each.rpartition("|")[2] for each in asked.any_of("status")]
    known = tuple(ReportStatus(each) for each in named if each in frozenset(ReportStatus))
    if named and not known:
        raise InvalidPayload("expected a status of diagnostic-report-status", where="http.status")
    return known


def _number(given: Given | None) -> tuple[Identifier | None, str]:
    """The order or accession number asked for; or the Study Instance UID, which is written as one."""
    if given is None:
        return None, ""
    named = identifier(given, always_in_system=False)
    if named.system == diagnostic_report.STUDY_UID or named.value.startswith("urn:oid:"):
        return None, named.value.removeprefix("urn:oid:")
    return named, ""


KIND = Kind(
    name="DiagnosticReport",
    documentation="A report of imaging, laboratory or ECG; every correction is a new version.",
    example=examples.REPORT,
    search=_search,
    parameters=(
        *PATIENT_PARAMETERS,
        SearchParameter("identifier", "token", "placer, filler or accession number, or Study Instance UID", "L001"),
        SearchParameter("category", "token", "LAB, RAD, EC or OTH of HL7 table 0074", "LAB"),
        SearchParameter("code", "token", "the item: code, or system|code", "58410-2"),
        SearchParameter("date", "date", "sampling or acquisition; prefixes eq gt ge lt le sa eb", "ge2024-05-01"),
        SearchParameter("status", "token", "several, separated by commas", "final,corrected"),
        SearchParameter("performer", "reference", "the issuing institution", "Organization/3"),
    ),
    chained=(*CHAINED, SearchParameter("performer.identifier", "token", "code of the issuing institution", "CHC01")),
    sorts=("date",),
    includes={
        "patient": Include("subject", "Patient"),
        "subject": Include("subject", "Patient"),
        "performer": Include("performer", "Organization"),
        "result": Include("result", "Observation"),
        "imaging-study": Include("imagingStudy", "ImagingStudy"),
    },
    read=_read,
    version=_version,
    versions=_versions,
)
