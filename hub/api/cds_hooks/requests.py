"""What an ordering system asks. Source: CDS Hooks 2.0, HTTP Request; hooks order-select 1.0 and order-sign 1.0.

Bodies are read leniently where the standard lets resources be of any shape, and strictly where a patient is meant.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from hub.advising.whom import Whom
from schemas.catalogue import Setting
from schemas.codes import Coding
from schemas.faults import InvalidPayload
from schemas.identifiers import Identifier
from schemas.ordering import PlannedOrder
from schemas.patient import Patient, PersonName, Sex
from schemas.verdict import Context

from .discovery import HOOKS

Json = Mapping[str, Any]
# v3 ActCode of Encounter.class. Field and emergency both mean that nobody waits.
_SETTINGS = {"AMB": Setting.OUTPATIENT, "VR": Setting.OUTPATIENT, "HH": Setting.OUTPATIENT}
_SETTINGS |= dict.fromkeys(("IMP", "ACUTE", "NONAC", "OBSENC", "SS"), Setting.INPATIENT)
_EMERGENCIES = frozenset({"EMER", "FLD"})
# Of ServiceRequest.reasonCode: what makes an order weigh more; our own code system, for FHIR has none.
CONTEXT = "urn:dxhub:order-context"
_ICD10 = ("http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cn")
_SIDES = {"7771000": "L", "24028007": "R", "51440002": "B"}  # SNOMED CT: left, right, right and left
_MOST = 50


class HookRequest(BaseModel):
    """The body of a call."""

    model_config = ConfigDict(extra="ignore")

    hook: str
    hookInstance: UUID
    context: dict[str, Any]
    prefetch: dict[str, Any] = Field(default_factory=dict)
    fhirServer: str = ""


class PrefetchNeeded(Exception):
    """The patient was not sent, and is nowhere where the hub looks: 412, as the standard says."""


def check(asked: HookRequest) -> None:
    """Raises InvalidPayload for another hook, or a context without what the hook must tell."""
    if asked.hook not in HOOKS:
        raise InvalidPayload(f"expected one of the hooks {', '.join(HOOKS)}", where="hook")
    needed = ("patientId", "userId", "draftOrders", *(("selections",) if asked.hook == "order-select" else ()))
    for name in needed:
        told = asked.context.get(name)
        if not told or (name == "selections" and not isinstance(told, list)):
            raise InvalidPayload("expected what this hook's context must tell", where=f"context.{name}")


def whom(asked: HookRequest, own_server: str) -> Whom:
    """Who is meant. An id is believed of our own FHIR service alone: another's `12` is another person.

    Raises PrefetchNeeded where the patient's description is needed and was not sent.
    """
    told = asked.context["patientId"]
    if asked.fhirServer and _same(asked.fhirServer, own_server):
        # ASCII alone: `²` is a digit as well, and no number.
        named = isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 18
        return Whom(patient_id=int(told)) if named else Whom()
    sent = asked.prefetch.get("patient")
    if not isinstance(sent, dict) or sent.get("resourceType") != "Patient":
        # Fetching from an address that a caller names would make the hub knock on any door inside the network.
        raise PrefetchNeeded
    if sent.get("id", told) != told:
        raise InvalidPayload("the prefetched patient is not the one of the context", where="prefetch.patient")
    return Whom(described=_patient(sent))


def _same(one: str, other: str) -> bool:
    try:
        ours, theirs = urlsplit(one.rstrip("/")), urlsplit(other.rstrip("/"))
    except ValueError:
        return False
    return (ours.scheme, ours.netloc.lower(), ours.path) == (theirs.scheme, theirs.netloc.lower(), theirs.path)


def _patient(sent: Json) -> Patient:
    numbers = tuple(
        Identifier(_text(each, "system"), _text(each, "value"))
        for each in _dicts(sent.get("identifier"))
        if _text(each, "system") and _text(each, "value")
    )
    name = next((text for each in _dicts(sent.get("name")) if (text := _name(each))), "")
    try:
        born = dt.date.fromisoformat(_text(sent, "birthDate"))
    except ValueError:
        born = None
    sex = _text(sent, "gender")
    return Patient(numbers, PersonName(name), born, Sex(sex) if sex in set(Sex) else Sex.UNKNOWN)


def _name(sent: Json) -> str:
    parts = sent.get("given")
    given = "".join(each for each in parts if isinstance(each, str)) if isinstance(parts, list) else ""
    return _text(sent, "text") or f"{_text(sent, 'family')}{given}"


def orders(asked: HookRequest) -> list[PlannedOrder]:
    """The drafts that are meant: of order-select the selected ones; of the patient in context alone."""
    selected = asked.context.get("selections") if asked.hook == "order-select" else None
    setting, emergency = _setting(asked.prefetch.get("encounter"))
    found = []
    for entry in _dicts(_dict(asked.context["draftOrders"]).get("entry")):
        draft = _dict(entry.get("resource"))
        reference = f"{_text(draft, 'resourceType')}/{_text(draft, 'id')}"
        if _text(draft, "resourceType") != "ServiceRequest" or (selected is not None and reference not in selected):
            continue
        if not _is_of(draft, asked.context["patientId"]):
            raise InvalidPayload("a draft order is of another patient", where="context.draftOrders")
        found.append(_planned(draft, reference, setting, emergency))
    return found[:_MOST]


def _is_of(draft: Json, patient_id: str) -> bool:
    reference = _text(_dict(draft.get("subject")), "reference")
    return not reference or reference.split("/_history/")[0].rstrip("/").rsplit("/", 1)[-1] == patient_id


def _planned(draft: Json, reference: str, setting: Setting | None, emergency: bool) -> PlannedOrder:
    code = _dict(draft.get("code"))
    text = _text(code, "text")
    services = [
        Coding(_text(each, "code"), _text(each, "display") or text, _text(each, "system"))
        for each in _dicts(code.get("coding"))
        if _text(each, "code")
    ]
    urgent = emergency or _text(draft, "priority") == "stat"
    reasons = list(_codings(draft.get("reasonCode")))
    contexts = {Context(each.code) for each in reasons if each.system == CONTEXT and each.code in set(Context)}
    sides = {_SIDES[each.code] for each in _codings(draft.get("bodySite")) if each.code in _SIDES}
    return PlannedOrder(
        tuple(services[:1] or [Coding("", text)]),
        Setting.ACUTE if urgent else setting,
        frozenset(contexts | ({Context.EMERGENCY} if urgent else set())),
        next((_text(each, "value") for each in _dicts(draft.get("identifier"))), "") or _text(draft, "id"),
        sides.pop() if len(sides) == 1 else "",
        next((each.code for each in reasons if each.system in _ICD10), ""),
        reference,
    )


def _setting(sent: object) -> tuple[Setting | None, bool]:
    code = _text(_dict(_dict(sent).get("class")), "code")
    return _SETTINGS.get(code), code in _EMERGENCIES


def _codings(concepts: object) -> Iterator[Coding]:
    for concept in _dicts(concepts):
        for each in _dicts(concept.get("coding")):
            yield Coding(_text(each, "code"), _text(each, "display"), _text(each, "system"))


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: Json, name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        return ""
    # Half a surrogate pair and NUL stand in JSON and in no database.
    return found.strip()[:200].replace("\0", "\ufffd").encode(errors="replace").decode()
