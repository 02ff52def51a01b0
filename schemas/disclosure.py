"""Who asks, for which institution, for what purpose. No patient data leaves storage without one."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The roles of the demo district; one to an account. SYSTEM: no account's; who asks over the DICOM network."""

    TECHNICIAN = "technician"
    RADIOLOGIST = "radiologist"
    ECG_READER = "ecg-reader"
    LAB_REVIEWER = "lab-reviewer"
    CLINICIAN = "clinician"
    QUALITY = "quality"
    ADMIN = "admin"
    AUDITOR = "auditor"
    SYSTEM = "system"


PEOPLE = tuple(role for role in Role if role is not Role.SYSTEM)


class Purpose(StrEnum):
    """Purpose of use. Source: HL7 v3 PurposeOfUse (TREAT, HQUALIMP, HOPERAT, HSYSADMIN)."""

    TREATMENT = "TREAT"
    QUALITY = "HQUALIMP"
    OPERATIONS = "HOPERAT"
    ADMINISTRATION = "HSYSADMIN"


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person. `organization`: code of the institution for which they act."""

    account: str
    name: str
    role: Role
    organization: str
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The right under which data are read, and what the audit record will say of it.

    only_organization: when set, nothing that another institution issued is shown.
    """

    principal: Principal
    purpose: Purpose
    address: str = ""
    only_organization: str = ""


class Action(StrEnum):
    """What an audit record says was done. Source: DICOM PS3.15 A.5 and FHIR AuditEvent subtypes, in plain words."""

    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    RECEIVE = "receive"
    SEARCH = "search"
    READ = "read"
    EXPORT = "export"
    DECIDE = "decide"
    REPLAY = "replay"
    REPAIR = "repair"
    LINK = "link"
    ADMINISTER = "administer"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """entity: what was touched, as FHIR-like references (`DiagnosticReport/12`), never a name or an identity number."""

    id: int
    at: dt.datetime
    action: Action
    outcome: str  # `success` or a fault category
    account: str
    role: str
    organization: str
    purpose: str
    address: str
    entity: str
    patient_id: int | None
    detail: str
