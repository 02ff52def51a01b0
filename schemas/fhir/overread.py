"""Who read a report here: resultsInterpreter with the account, and the version that was read.

Source: https://hl7.org/fhir/R4/diagnosticreport.html
"""

from schemas.codes import Coding
from schemas.report import Overread, Report

from .elements import EXTENSION, Resource, compact, concept, extension, extension_of, moment, present, read_moment, text
from .provenance import ACCOUNT
from .references import Links

URL = EXTENSION + "overread"


def conclusion(coding: Coding) -> Resource | None:
    """One statement of the conclusion, in its code."""
    return concept(coding)


def interpreters(report: Report, links: Links) -> list[Resource]:
    """Those who say what the report says; who confirmed it here, with the account."""
    named = [{"display": text(name)} for name in report.performers if text(name)]
    if report.overread is None:
        return named
    account = {"system": ACCOUNT, "value": report.overread.account}
    first = compact(type="Practitioner", identifier=account, display=text(report.overread.name))
    own = {"display": text(report.overread.name)}
    return [first, *(each for each in named if each != own)]


def to_fhir(overread: Overread | None) -> Resource | None:
    """As an extension: FHIR R4 has no place for when and of which version."""
    if overread is None:
        return None
    parts = present(
        extension("account", valueString=overread.account),
        extension("name", valueString=text(overread.name)),
        extension("organization", valueString=overread.organization),
        extension("at", valueInstant=moment(overread.at)),
        extension("of-version", valuePositiveInt=overread.of_version),
    )
    return extension(URL, extension=parts)


def from_fhir(resource: Resource) -> Overread | None:
    """The same back; None where nobody read it here."""
    found = extension_of(resource, URL)
    at = read_moment(extension_of(found, "at").get("valueInstant"))
    if at is None:
        return None
    words = {name: extension_of(found, name).get("valueString", "") for name in ("account", "name", "organization")}
    return Overread(**words, at=at, of_version=extension_of(found, "of-version").get("valuePositiveInt", 1))
