"""OperationOutcome: a fault as FHIR says it. Source: https://hl7.org/fhir/R4/operationoutcome.html"""

from collections.abc import Iterable

from schemas.faults import FAULTS, Category, Fault

from .elements import Resource, compact, expect, text

ISSUES = {
    Category.INVALID: "invalid",
    Category.UNSUPPORTED: "not-supported",
    Category.NOT_FOUND: "not-found",
    Category.CONFLICT: "conflict",
    Category.FORBIDDEN: "forbidden",
    Category.BUSY: "transient",
    Category.INTERNAL: "exception",
}


def to_fhir(fault: Fault) -> Resource:
    """One issue: what was expected and found, and where."""
    return outcome(issue(ISSUES[fault.category], fault.text, fault.where))


def issue(code: str, diagnostics: str, where: str = "", severity: str = "error") -> Resource:
    """code: of the value set issue-type. where: FHIRPath, or `http.<parameter>` for a part of the request."""
    return compact(
        severity=severity,
        code=code,
        diagnostics=text(diagnostics),
        expression=[where] if text(where) else None,
    )


def outcome(*issues: Resource) -> Resource:
    """An OperationOutcome of issues; FHIR demands at least one."""
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def warnings(texts: Iterable[tuple[str, str]]) -> Resource:
    """What was left aside although the request was answered; pairs of words and place."""
    return outcome(*(issue("not-supported", words, where, "warning") for words, where in texts))


def from_fhir(resource: Resource) -> Fault:
    """The fault that the first issue tells; an issue type that we never send counts as invalid."""
    expect(resource, "OperationOutcome")
    first = resource["issue"][0]
    known = (category for category, code in ISSUES.items() if code == first["code"])
    where = next(iter(first.get("expression", ())), "")
    return FAULTS[next(known, Category.INVALID)](first.get("diagnostics", ""), where=where)
