"""What there is already for an order, and whether it can stand in for it: with every rule, for a program to show."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub.advising.service import MOST_ORDERS
from schemas.catalogue import Setting
from schemas.codes import CATALOGUE, Coding
from schemas.identifiers import Identifier
from schemas.ledger import Shown
from schemas.ordering import PlannedOrder
from schemas.verdict import Advice, Answer, Context, Judged, Outcome, Rule
from schemas.wording import result, unit

from .dependencies import Asker, TheVerbs
from .recognition import RESPONSES, Key, Words

router = APIRouter(prefix="/recognition", tags=["recognition"], responses=RESPONSES)

EMERGENCY = "emergency"
_EXAMPLES = {
    "one order": {
        "summary": "A blood count, for a patient known by the hub's id",
        "value": {"patient": "Patient/12", "orders": [{"number": "HIS1", "code": "P-CBC", "setting": "outpatient"}]},
    },
    "by identity number": {
        "summary": "Two orders, the patient by the resident identity number, services by LOINC code and by name",
        "value": {
            "identifier": {"system": "urn:oid:2.16.156.10011.1.3", "value": "990101196804123320"},
            "orders": [
                {"number": "1", "system": "http://loinc.org", "code": "2823-3", "setting": "inpatient"},
                {"number": "2", "display": "胸部CT平扫", "setting": "inpatient", "contexts": ["before-operation"]},
            ],
        },
    },
}


class ByIdentifier(BaseModel):
    """A number of the patient's, and who gave it out."""

    model_config = ConfigDict(extra="forbid")

    system: Words = Field(examples=["urn:oid:2.16.156.10011.1.3"])
    value: Words = Field(min_length=1, examples=["990101196804123320"])


class NewOrder(BaseModel):
    """What is about to be ordered. Without a setting the strictest rules hold."""

    model_config = ConfigDict(extra="forbid")

    number: Words = Field("", description="the ordering system's own", examples=["HIS20240506001"])
    code: Words = Field("", description="of the catalogue, LOINC, or the institution's own", examples=["P-CBC"])
    system: Words = Field(CATALOGUE, description="of the code", examples=["http://loinc.org"])
    display: Words = Field("", description="name; enough where there is no code", examples=["血常规"])
    setting: str = Field("", pattern="^(outpatient|inpatient|acute|emergency|)$", examples=["outpatient"])
    contexts: list[Context] = Field(default_factory=list, max_length=4)
    laterality: str = Field("", pattern="^(L|R|B|)$")

    @model_validator(mode="after")
    def _named(self) -> "NewOrder":
        if not (self.code or self.display):
            raise ValueError("expected a code or a name")
        return self

    def planned(self) -> PlannedOrder:
        """As the verb takes it; an emergency is acute care, and a reason of its own."""
        system = self.system if self.code else ""
        contexts = {*self.contexts, *({Context.EMERGENCY} if self.setting == EMERGENCY else ())}
        return PlannedOrder(
            (Coding(self.code, self.display, system),),
            Setting.ACUTE if self.setting == EMERGENCY else Setting(self.setting) if self.setting else None,
            frozenset(contexts),
            self.number,
            self.laterality,
        )


class Question(BaseModel):
    """Whom, and what."""

    model_config = ConfigDict(extra="forbid")

    patient: Key | None = Field(None, description="id of the patient, as in FHIR `Patient/{id}`")
    identifier: ByIdentifier | None = None
    orders: list[NewOrder] = Field(min_length=1, max_length=MOST_ORDERS)

    @model_validator(mode="after")
    def _whom(self) -> "Question":
        if (self.patient is None) == (self.identifier is None):
            raise ValueError("expected either a patient or an identifier")
        return self


class FindingView(BaseModel):
    """What one rule looked at and found."""

    rule: Rule
    outcome: Outcome
    looked_at: str
    found: str
    zh: str
    en: str


class ResultView(BaseModel):
    """A prior result with the verdict on it. evidence: the versions and facts from which it follows again."""

    report: int
    version: int
    item: str
    name: str
    issuer: str
    issuer_name: str
    sampled_at: dt.datetime | None
    value: str
    unit: str
    reference_range: str
    interpretation: tuple[str, ...]
    conclusion: str
    advice: Advice
    rule: Rule
    zh: str = Field(examples=["在互认时限内：距采样 2 天，时限 7 天"])
    en: str
    near: bool
    findings: list[FindingView]
    evidence: dict[str, Any]


class LineView(BaseModel):
    """One item of an order: what there is of it, the most useful first."""

    item: str
    name: str
    name_en: str
    advice: Advice
    results: list[ResultView]


class AnswerView(BaseModel):
    """What there is for one order. covered: every item of it has a result that may be reused."""

    number: str
    display: str
    item: str
    name: str
    advice: Advice
    covered: bool
    missing: list[str]
    items: list[LineView]


def result_view(judged: Judged, *, near: bool = False) -> ResultView:
    """One result in the words of this interface."""
    prior, verdict = judged.prior, judged.verdict
    observation, report = prior.observation, prior.record.report
    return ResultView(
        report=prior.record.id,
        version=prior.record.version,
        item=prior.item.code if prior.item else "",
        name=prior.item.zh if prior.item else report.code.display,
        issuer=prior.issuer.code,
        issuer_name=prior.issuer.name,
        sampled_at=prior.sampled_at,
        value=result(observation) if observation else "",
        unit=unit(observation) if observation else "",
        reference_range=observation.reference_range if observation else "",
        interpretation=observation.interpretation if observation else (),
        # The images, the tracing are what is recognised; the words of another doctor stand beside them.
        conclusion="" if observation else report.conclusion,
        advice=verdict.advice,
        rule=verdict.rule,
        zh=verdict.decisive.zh,
        en=verdict.decisive.en,
        near=near,
        findings=[FindingView.model_validate(each, from_attributes=True) for each in verdict.findings],
        evidence=_evidence(judged),
    )


def _evidence(judged: Judged) -> dict[str, Any]:
    basis = judged.verdict.basis
    return {
        "report": f"DiagnosticReport/{basis.report_id}/_history/{basis.report_version}",
        "item": f"{basis.item}/{basis.item_version}",
        "ordered": f"{basis.ordered}/{basis.ordered_version}",
        "region": basis.region,
        "quality": f"{basis.quality.organization}/{basis.quality.item}/{basis.quality.since}/{basis.quality.version}"
        if basis.quality
        else basis.assessed.value,
        "setting": basis.setting.value,
        "at": basis.at.isoformat(),
    }


def answer_view(answer: Answer) -> AnswerView:
    """One order in the words of this interface."""
    return AnswerView(
        number=answer.number,
        display=answer.display,
        item=answer.item.code if answer.item else "",
        name=answer.item.zh if answer.item else "",
        advice=answer.advice,
        covered=answer.covered,
        missing=[item.code for item in answer.missing],
        items=[
            LineView(
                item=line.item.code,
                name=line.item.zh,
                name_en=line.item.en,
                advice=line.advice,
                results=[
                    *(result_view(each) for each in line.judged),
                    *(result_view(each, near=True) for each in line.near),
                ],
            )
            for line in answer.lines
        ],
    )


@router.post("/verdicts", summary="What there is already for an order")
def verdicts(
    question: Annotated[Question, Body(openapi_examples=_EXAMPLES)],
    verbs: TheVerbs,
    asker: Asker,
) -> list[AnswerView]:
    """Advice: the treating doctor decides. A patient of whom nothing is known has empty answers, as has a stranger."""
    identifier = Identifier(question.identifier.system, question.identifier.value) if question.identifier else None
    answers = verbs.advising.verdicts(
        asker,
        [each.planned() for each in question.orders],
        patient_id=question.patient,
        identifier=identifier,
        where=Shown.REST,
    )
    return [answer_view(each) for each in answers]
