"""Invented resources for the description of the interface, made by the very mappings that serve real ones."""

import datetime as dt
from decimal import Decimal

from schemas.codes import LOINC, UCUM, Coding
from schemas.disclosure import Action, AuditRecord
from schemas.fhir import (
    audit_event,
    communication,
    diagnostic_report,
    imaging_study,
    observation,
    organization,
    patient,
    provenance,
)
from schemas.fhir.references import Links
from schemas.identifiers import RESIDENT_ID, Identifier, authority_system
from schemas.notice import Change, Notice, NoticeKind, Reliance
from schemas.observation import Observation, ObservationRecord, Quantity
from schemas.organization import Organization, OrganizationKind, OrganizationRecord
from schemas.patient import Patient, PatientRecord, PersonName, Sex
from schemas.recognition import Decided, Decision, Order, reason_list
from schemas.report import Report, ReportCategory, ReportRecord, ReportStatus
from schemas.study import Series, SeriesRecord, Study, StudyRecord

_AT = dt.datetime(2024, 5, 6, 8, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))
_CENTRE = OrganizationRecord(
    3, Organization("CHC01", "第一社区卫生服务中心", "Community Health Centre 1", OrganizationKind.COMMUNITY_CENTRE)
)
_LINKS = Links("http://127.0.0.1:8080/fhir/R4", {"CHC01": _CENTRE}, {"1.2.826.0.1.3680043.8.498.1": 5})
# Region 990 does not exist: the number is valid and nobody's.
_PATIENT = Patient(
    (Identifier(authority_system("CHC01"), "P000123"), Identifier(RESIDENT_ID, "990101198503072342")),
    PersonName("王芳", "Wang Fang"),
    dt.date(1985, 3, 7),
    Sex.FEMALE,
)
_HAEMOGLOBIN = Observation(
    Coding("718-7", "血红蛋白", LOINC), Quantity(Decimal(98), "g/L", "", UCUM), "", "g/L", "115-150", ("L",)
)
_REPORT = Report(
    key="L20240506001|CBC",
    category=ReportCategory.LABORATORY,
    status=ReportStatus.FINAL,
    code=Coding("58410-2", "血常规", LOINC),
    patient=_PATIENT,
    organization="CHC01",
    observed_at=_AT,
    issued_at=_AT + dt.timedelta(hours=1),
    placer_order_number="HIS20240506001",
    filler_order_number="L20240506001",
    specimen="全血",
    observations=(_HAEMOGLOBIN,),
)
_STUDY = Study("1.2.826.0.1.3680043.8.498.1", _PATIENT, "20240506", "083000", "A20240506001", "1", "胸部CT")

PATIENT = patient.to_fhir(PatientRecord(12, 1, _PATIENT, _AT))
ORGANIZATION = organization.to_fhir(_CENTRE)
REPORT = diagnostic_report.to_fhir(
    ReportRecord(7, 1, True, 12, "CHC01", _AT, _AT, 4, _REPORT, False, (21,)),
    _LINKS,
)
OBSERVATION = observation.to_fhir(
    ObservationRecord(21, 1, 7, 12, "CHC01", _AT, _AT, _HAEMOGLOBIN, "laboratory"), _LINKS
)
STUDY = imaging_study.to_fhir(
    StudyRecord(5, 12, "CHC01", _STUDY, ("CT",), 1, 28, _AT, _AT, 8),
    _LINKS,
    [SeriesRecord(1, _STUDY.study_instance_uid, Series("1.2.826.0.1.3680043.8.498.1.1", "CT", 1, "", "CHEST"), 28)],
)
PROVENANCE = provenance.to_fhir(
    Decision(
        id=3,
        report_id=7,
        version=1,
        patient_id=12,
        organization="CHC01",
        account="clinician",
        doctor="李医生",
        verdict=Decided.NOT_RECOGNISED,
        decided_at=_AT,
        reason="01",
        reasons_version=reason_list().version,
        order=Order("HIS20240506002", "58410-2", "血常规", "outpatient", "内科"),
    ),
    _LINKS,
)
AUDIT_EVENT = audit_event.to_fhir(
    AuditRecord(
        99, _AT, Action.READ, "success", "clinician", "clinician", "CHC01", "TREAT", "127.0.0.1",
        "DiagnosticReport/7", 12, "",
    ),
    _LINKS,
)  # fmt: skip
COMMUNICATION = communication.to_fhir(
    Notice(
        id=4,
        kind=NoticeKind.CORRECTED,
        reliance=Reliance.REUSED,
        report_id=7,
        seen_version=1,
        version=2,
        patient_id=12,
        organization="CHC01",
        account="clinician",
        cause_id=3,
        changes=(Change("钾", "3.4 mmol/L", "6.1 mmol/L HH"),),
        raised_at=_AT,
    ),
    _LINKS,
)
SUBSCRIPTION = {
    "resourceType": "Subscription",
    "status": "requested",
    "reason": "医院信息系统接收结果变更通知",
    "criteria": "Communication?recipient=Organization/CHC01",
    "channel": {
        "type": "rest-hook",
        "endpoint": "https://his.example/fhir-hook",
        "payload": "application/fhir+json",
        "header": ["Authorization: Bearer secret"],
    },
}
