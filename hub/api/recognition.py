"""Decisions on reuse: recorded by the doctor who was about to order, readable by whoever may read the report."""

import datetime as dt
import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas.faults import Forbidden, InvalidPayload, NotFound
from schemas.ledger import Deed
from schemas.recognition import Decided, Decision, Order, ReasonList, reason_list

from . import catalogue
from .dependencies import Asker, TheVerbs
from .outcomes import Problem

RESPONSES: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "no bearer token, or not a valid one"},
    "default": {"model": Problem, "description": "why it was refused"},
}
router = APIRouter(prefix="/recognition", tags=["recognition"], responses=RESPONSES)

router.include_router(catalogue.router)

_REFERENCE = re.compile(r"(?:DiagnosticReport/|Patient/)?([1-9][0-9]{0,17})")


def _key(value: Any) -> Any:  # noqa: ANN401 whatever the caller sent
    """An id; also as FHIR writes it, `DiagnosticReport/12`."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) if match else value


Key = Annotated[int, BeforeValidator(_key), Field(ge=1, lt=2**63, examples=[12])]
# NUL stands in JSON and in no database.
Words = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class OrderContext(BaseModel):
    """What the doctor was about to order, as the ordering system tells it."""

    model_config = ConfigDict(extra="forbid")

    number: Words = Field("", examples=["HIS20240506001"])
    code: Words = Field("", examples=["250101015"])
    display: Words = Field("", examples=["血常规"])
    setting: str = Field("", pattern="^(outpatient|inpatient|emergency|)$", examples=["outpatient"])
    department: Words = Field("", examples=["内科"])
    diagnosis: Words = Field("", description="ICD-10 code; some reasons need it", examples=["I50.9"])


class NewDecision(BaseModel):
    """A doctor's decision about one version of a report."""

    model_config = ConfigDict(extra="forbid")

    report: Key = Field(description="id of the report, as in FHIR `DiagnosticReport/{id}`")
    version: int = Field(ge=1, lt=2**31, description="the version that the doctor saw", examples=[1])
    institution: Words = Field(description="code of the deciding institution: the asker's own", examples=["CHC01"])
    decision: Decided
    reason: Words = Field("", description="code of `/recognition/reasons`; needed to not recognise", examples=["01"])
    comment: str = Field("", max_length=2000)
    item: Words = Field("", description="code of the catalogue's item that was ordered", examples=["P-CBC"])
    order: OrderContext = Field(default_factory=OrderContext)


class DecisionView(BaseModel):
    """A decision as it was recorded. `provenance`: the same as a FHIR resource.

    advice: what the hub had advised this doctor. record_text, patient_text: for the record, and for the patient.
    """

    id: int
    report: int
    version: int
    patient: int
    institution: str
    account: str
    doctor: str
    decision: Decided
    decided_at: dt.datetime
    reason: str
    reasons_version: str
    comment: str
    order: OrderContext
    item: str
    advice: str
    record_text: str
    patient_text: str
    provenance: str = Field(examples=["/fhir/R4/Provenance/3"])


def view(decision: Decision) -> DecisionView:
    """The decision in the words of this interface."""
    order = decision.order
    return DecisionView(
        id=decision.id,
        report=decision.report_id,
        version=decision.version,
        patient=decision.patient_id,
        institution=decision.organization,
        account=decision.account,
        doctor=decision.doctor,
        decision=decision.verdict,
        decided_at=decision.decided_at,
        reason=decision.reason,
        reasons_version=decision.reasons_version,
        comment=decision.comment,
        # As it was told, even where today's rules would refuse it.
        order=OrderContext.model_construct(
            number=order.number,
            code=order.code,
            display=order.display,
            setting=order.setting,
            department=order.department,
            diagnosis=order.diagnosis,
        ),
        item=decision.item,
        advice=decision.advice,
        record_text=decision.record_text,
        patient_text=decision.patient_text,
        provenance=f"/fhir/R4/Provenance/{decision.id}",
    )


@router.post("/decisions", status_code=201, summary="Acknowledge a prior report")
def decide(new: NewDecision, verbs: TheVerbs, asker: Asker, response: Response) -> DecisionView:
    """Recognised, or not and why. The decision is about the version that was seen and is never changed."""
    if new.institution != asker.principal.organization:
        raise Forbidden("one decides for one's own institution only", where="institution")
    made = verbs.recognition.decide(
        asker,
        report_id=new.report,
        version=new.version,
        verdict=new.decision,
        reason=new.reason,
        comment=new.comment,
        item=new.item,
        order=Order(**new.order.model_dump()),
    )
    response.headers["Location"] = f"/recognition/decisions/{made.id}"
    return view(made)


@router.get("/decisions", summary="Decisions on a report, or on a patient's reports")
def decisions(
    request: Request,
    verbs: TheVerbs,
    asker: Asker,
    report: Annotated[Key | None, Query(description="id of the report")] = None,
    version: Annotated[int | None, Query(ge=1, lt=2**31, description="only on this version of it")] = None,
    patient: Annotated[Key | None, Query(description="id of the patient")] = None,
) -> list[DecisionView]:
    """Newest first."""
    if report is None and patient is None:
        raise InvalidPayload("expected a report or a patient", where="query")
    if unknown := request.query_params.keys() - {"report", "version", "patient"}:
        raise InvalidPayload("unknown parameter", where=f"query.{min(unknown)}")
    return [view(each) for each in verbs.query.decisions(asker, report_id=report, version=version, patient_id=patient)]


@router.get("/decisions/{decision_id}", summary="One decision")
def decision(decision_id: Key, verbs: TheVerbs, asker: Asker) -> DecisionView:
    """The decision as it was recorded."""
    found = verbs.query.decisions(asker, decision_id=decision_id)
    if not found:
        raise NotFound("no such decision", where="decision")
    return view(found[0])


class LedgerLine(BaseModel):
    """Something that was done with a report. `number`: of the showing, the decision or the notice."""

    at: dt.datetime
    deed: Deed
    version: int
    institution: str
    account: str
    number: int
    word: str = Field(description="of the advice, the decision or the notice", examples=["reusable"])
    item: str
    where: str
    order: str
    reason: str
    remark: str


@router.get("/ledger", summary="Who saw which version of a report, with which advice, and what followed")
def ledger(
    verbs: TheVerbs, asker: Asker, report: Annotated[Key, Query(description="id of the report")]
) -> list[LedgerLine]:
    """Oldest first. For quality officers and auditors; an institution sees what it did, or all on its own reports."""
    return [
        LedgerLine(
            at=each.at,
            deed=each.deed,
            version=each.version,
            institution=each.organization,
            account=each.account,
            number=each.number,
            word=each.word,
            item=each.item,
            where=each.where,
            order=each.order_number,
            reason=each.reason,
            remark=each.remark,
        )
        for each in verbs.statistics.ledger(asker, report)
    ]


@router.get("/reasons", summary="Reasons for repeating an examination")
def reasons(asker: Asker) -> ReasonList:
    """The versioned list in force. `counted`: whether a reason counts in the recognition rate."""
    del asker  # anyone who is signed in
    return reason_list()
