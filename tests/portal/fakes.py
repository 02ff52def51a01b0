"""The verbs in memory, over a small invented district: what the pages are driven with where no store is needed."""

import datetime as dt
import hashlib
import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, BinaryIO

import numpy as np
from fastapi import FastAPI, Response
from PIL import Image

from hub import portal
from hub.access import Permission, SignedIn, require
from hub.api import outcomes
from hub.ingest.repairs import Replayed
from hub.query.relations import Related
from hub.recall.service import Waiting
from hub.retrieve.content import Content
from hub.statistics.counting import figures
from schemas.accounts import Examined
from schemas.codes import LOINC, Coding
from schemas.delivery import Accounting, Channel, DeliveryCriteria, DeliveryRecord, Format, PatientHint, Receipt, State
from schemas.disclosure import Action, AuditRecord, Disclosure, Principal, Role
from schemas.ecg import LEADS, EcgRecording
from schemas.faults import Busy, Conflict, Fault, Forbidden, InvalidPayload, NotFound
from schemas.figures import Figures, Pair
from schemas.identifiers import RESIDENT_ID, Identifier, authority_system
from schemas.notice import Change, Notice, NoticeKind, Reliance
from schemas.observation import Observation, ObservationCriteria, ObservationRecord, Quantity
from schemas.organization import Organization, OrganizationKind, OrganizationRecord
from schemas.paging import Page
from schemas.patient import (
    DoubtState,
    IdentityDoubt,
    MergeRecord,
    Patient,
    PatientCriteria,
    PatientRecord,
    PersonName,
    Sex,
)
from schemas.reading import Claim, Draft, ReadingRecord, ReadingState, WaitingEcg
from schemas.reading_list import ListCriteria, ListedStudy
from schemas.recognition import Decided, Decision, Order, reason_list
from schemas.report import Attachment, Report, ReportCategory, ReportCriteria, ReportRecord, ReportStatus
from schemas.study import InstanceRecord, Series, SeriesRecord, Study, StudyContent, StudyCriteria, StudyRecord
from schemas.trend import Measure, Trend, compared

ZONE = dt.timezone(dt.timedelta(hours=8))
PASSWORD = "correct horse"
NOW = dt.datetime(2026, 11, 21, 10, 30, tzinfo=ZONE)
HOSTILE = '<script>alert("x")</script>'
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

ORGANIZATIONS = (
    Organization(
        "CHC03", "青松街道社区卫生服务中心", "Qingsong Community Health Centre", OrganizationKind.COMMUNITY_CENTRE
    ),
    Organization(
        "DH1", "区第一人民医院", "First District Hospital", OrganizationKind.DISTRICT_HOSPITAL, centre="imaging"
    ),
    Organization(
        "DH2", "区中心医院", "District Central Hospital", OrganizationKind.DISTRICT_HOSPITAL, centre="laboratory"
    ),
    Organization("CITY", "市立医院", "City Hospital", OrganizationKind.CITY_HOSPITAL),
)


def _patient(number: int, name: str, latin: str, born: str, sex: Sex, resident: str, card: str) -> PatientRecord:
    identifiers = [Identifier(authority_system("CHC03"), card)]
    if resident:
        identifiers.append(Identifier(RESIDENT_ID, resident))
    who = Patient(tuple(identifiers), PersonName(name, latin), dt.date.fromisoformat(born), sex)
    return PatientRecord(number, 1, who, NOW, doubtful=number == 2)


PATIENTS = (
    _patient(1, "王芳", "Wang Fang", "1968-04-12", Sex.FEMALE, "990101196804123320", "CHC03-004417"),
    _patient(2, "王建国", "", "1951-09-30", Sex.MALE, "990101195109302716", "CHC03-001882"),
    _patient(3, HOSTILE, '"><img src=x onerror=alert(1)>', "1990-01-01", Sex.OTHER, "", "<b>77</b>"),
    _patient(4, "欧阳婉清", "Ouyang Wanqing", "2024-02-29", Sex.FEMALE, "", "DH2-99120"),
)

_ANALYTES = (
    ("6690-2", "白细胞计数", "10*9/L", "3.5-9.5", "11.8", "H"),
    ("789-8", "红细胞计数", "10*12/L", "3.8-5.1", "4.21", ""),
    ("718-7", "血红蛋白", "g/L", "115-150", "96", "L"),
    ("777-3", "血小板计数", "10*9/L", "125-350", "212", ""),
    ("770-8", "中性粒细胞百分比", "%", "40-75", "81.3", "H"),
    ("736-9", "淋巴细胞百分比", "%", "20-50", "14.0", "L"),
    ("2823-3", "钾", "mmol/L", "3.5-5.3", "2.6", "LL"),
    ("1988-5", "C反应蛋白", "mg/L", "<5.0", "38.4", "H"),
)


def _observations(factor: Decimal = Decimal(1)) -> tuple[Observation, ...]:
    found = [
        Observation(
            Coding(code, name, LOINC),
            Quantity((Decimal(value) * factor).quantize(Decimal(value)), unit),
            unit=unit,
            reference_range=reference,
            interpretation=(flag,) if flag else (),
        )
        for code, name, unit, reference, value, flag in _ANALYTES
    ]
    found.append(Observation(Coding("X1", "异型淋巴细胞", "urn:dxhub:codes:L"), "未见", reference_range="未见"))
    return tuple(found)


def _ecg_measures() -> tuple[Observation, ...]:
    values = (("8867-4", "心率", "72", "/min"), ("8625-6", "PR 间期", "158", "ms"), ("8633-0", "QRS 时限", "92", "ms"))
    more = (("8634-8", "QT", "398", "ms"), ("8636-3", "QTc", "436", "ms"), ("8632-2", "QRS 电轴", "41", "deg"))
    return tuple(Observation(Coding(c, n, LOINC), Quantity(Decimal(v), u), unit=u) for c, n, v, u in values + more)


def recording() -> EcgRecording:
    """Ten seconds of a regular rhythm: a bump for P and T, a spike for QRS, smaller in some leads."""
    rate, beats = 500, 12
    time = np.arange(10 * rate) / rate
    phase = (time * beats / 10) % 1.0
    wave = 120 * np.exp(-(((phase - 0.30) / 0.03) ** 2)) + 1100 * np.exp(-(((phase - 0.46) / 0.010) ** 2))
    wave += -260 * np.exp(-(((phase - 0.49) / 0.010) ** 2)) + 260 * np.exp(-(((phase - 0.72) / 0.05) ** 2))
    scale = np.array([0.7, 1.0, 0.4, -0.8, 0.3, 0.7, -0.5, 0.4, 0.9, 1.3, 1.2, 0.9])
    return EcgRecording(LEADS, rate, (scale[:, None] * wave[None, :]).astype(np.int32), NOW)


STUDY_UID = "1.2.826.0.1.3680043.8.498.1"
PDF_ATTACHMENT = Attachment.of(PDF, "application/pdf", "心电图报告单")


def _report(
    number: int,
    patient: int,
    category: ReportCategory,
    title: str,
    days: int,
    organization: str,
    **more: Any,  # noqa: ANN401 - a report's fields are of every type
) -> ReportRecord:
    at = NOW - dt.timedelta(days=days)
    version, current = more.pop("version", 1), more.pop("current", True)
    status = more.pop("status", ReportStatus.FINAL)
    code = Coding(more.pop("code", f"C{number}"), title)
    who = PATIENTS[patient - 1]
    report = Report(
        f"K{number}", category, status, code, who.patient, organization, observed_at=at, issued_at=at, **more
    )
    return ReportRecord(
        number, version, current, patient, organization, at, at + dt.timedelta(minutes=7), number, report, who.doubtful
    )


def reports() -> list[ReportRecord]:
    """Every version of every report."""
    lab, image, ecg = ReportCategory.LABORATORY, ReportCategory.IMAGING, ReportCategory.ECG
    blood = {"specimen": "静脉血", "filler_order_number": "26112100317", "performers": ("李检验",)}
    return [
        _report(1, 1, lab, "血常规 + CRP", 1, "DH2", observations=_observations(), **blood),
        _report(2, 1, lab, "血常规 + CRP", 96, "CHC03", observations=_observations(Decimal("0.82")), **blood),
        _report(3, 1, lab, "血常规 + CRP", 401, "CITY", observations=_observations(Decimal("0.91")), **blood),
        _report(
            4,
            1,
            image,
            "胸部 CT 平扫",
            3,
            "CHC03",
            status=ReportStatus.CORRECTED,
            version=2,
            study_instance_uid=STUDY_UID,
            accession_number="A2611180042",
            findings="右肺下叶背段见一枚磨玻璃结节，大小约 6 mm × 5 mm，边界清。\n余肺野清晰，气管支气管通畅。",
            conclusion="右肺下叶磨玻璃结节，建议 6 个月后复查。",
            performers=("张影像", "周审核"),
        ),
        _report(
            4,
            1,
            image,
            "胸部 CT 平扫",
            3,
            "CHC03",
            current=False,
            study_instance_uid=STUDY_UID,
            conclusion="左肺下叶磨玻璃结节。",
        ),
        _report(
            5,
            1,
            ecg,
            "静息心电图 12 导联",
            12,
            "CHC03",
            status=ReportStatus.PRELIMINARY,
            recording="ab" * 32,
            conclusion="窦性心律；正常心电图",
            observations=_ecg_measures(),
        ),
        _report(
            6,
            1,
            ecg,
            "静息心电图（仅文档）",
            200,
            "CHC03",
            attachments=(PDF_ATTACHMENT,),
            flags=("no-waveform",),
        ),
        _report(7, 1, lab, "肝功能", 40, "DH2", status=ReportStatus.ENTERED_IN_ERROR, observations=_observations()[:2]),
        _report(8, 2, lab, "血常规", 2, "DH1", observations=_observations()),
        _report(9, 3, lab, HOSTILE, 2, "DH1", conclusion=HOSTILE, observations=_hostile(), specimen=HOSTILE),
        _report(10, 1, image, "腹部超声", 60, "DH1", study_instance_uid="1.2.3", conclusion="肝胆胰脾未见明显异常。"),
    ]


def _hostile() -> tuple[Observation, ...]:
    return (Observation(Coding(HOSTILE, HOSTILE), HOSTILE, unit=HOSTILE, reference_range=HOSTILE, notes=(HOSTILE,)),)


def phantom(width: int = 256) -> bytes:
    """A picture like a slice: bright ring, dark lungs."""
    y, x = np.mgrid[-1 : 1 : complex(0, width), -1 : 1 : complex(0, width)]
    body = ((x / 0.85) ** 2 + (y / 0.65) ** 2) < 1
    lungs = (((np.abs(x) - 0.38) / 0.26) ** 2 + (y / 0.42) ** 2) < 1
    values = np.where(body, 150, 0) - np.where(body & lungs, 120, 0)
    out = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(out, "JPEG")
    return out.getvalue()


@dataclass
class FakeAccess:
    """Sessions in a dictionary; every role's account bears its name."""

    sessions: dict[str, SignedIn] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    failures: int = 0

    def sign_in(self, account: str, password: str, address: str) -> SignedIn:
        if self.failures >= 10:
            raise Busy("too many wrong passwords; wait a few minutes", where="account")
        if account not in set(Role) or password != PASSWORD:
            self.failures += 1
            raise Forbidden("the account name or the password is wrong")
        organization = "CHC03" if account == Role.TECHNICIAN else "DH1"
        who = Principal(account, "陈医生", Role(account), organization, self.languages.get(account, "zh"))
        opened = SignedIn(
            secrets.token_urlsafe(8), secrets.token_urlsafe(8), who, dt.datetime.now(dt.UTC) + dt.timedelta(hours=8)
        )
        self.sessions[opened.token] = opened
        return opened

    def session(self, token: str) -> SignedIn | None:
        found = self.sessions.get(token)
        if found is None:
            return None
        language = self.languages.get(found.principal.account, found.principal.language)
        return replace(found, principal=replace(found.principal, language=language))

    def sign_out(self, token: str, address: str) -> None:
        self.sessions.pop(token, None)

    def set_language(self, principal: Principal, language: str) -> None:
        self.languages[principal.account] = language


@dataclass
class FakeQuery:
    """Answers from the lists above; checks the role as the real one does."""

    reports_: list[ReportRecord] = field(default_factory=reports)
    decisions_: list[Decision] = field(default_factory=list)
    deliveries_: list[DeliveryRecord] = field(default_factory=list)
    doubts_: list[IdentityDoubt] = field(default_factory=list)
    asked: list[Disclosure] = field(default_factory=list)
    broken: Fault | Exception | None = None
    relations: dict[int, Related] = field(default_factory=dict)
    merged: list[MergeRecord] = field(default_factory=list)
    listed: list[ListCriteria] = field(default_factory=list)

    def _check(self, disclosure: Disclosure, *permissions: Permission) -> None:
        self.asked.append(disclosure)
        if self.broken is not None:
            raise self.broken
        require(disclosure.principal, *permissions)

    def organizations(self) -> tuple[OrganizationRecord, ...]:
        return tuple(OrganizationRecord(n, o) for n, o in enumerate(ORGANIZATIONS, 1))

    def find_patients(self, disclosure: Disclosure, criteria: PatientCriteria) -> Page[PatientRecord]:
        self._check(disclosure, Permission.READ_REPORTS, Permission.RESOLVE_IDENTITY)
        wanted = criteria.text.casefold()
        initials = {"wf": 1, "wjg": 2, "oywq": 4}
        found = [
            p
            for p in PATIENTS
            if wanted in p.patient.name.text.casefold()
            or wanted in p.patient.name.latin.casefold()
            or initials.get(wanted) == p.id
            or any(i.value == criteria.text for i in p.patient.identifiers)
        ]
        return Page(tuple(found[criteria.offset : criteria.offset + criteria.limit]), len(found), criteria.offset)

    def patient(self, disclosure: Disclosure, patient_id: int, version: int | None = None) -> PatientRecord:
        self._check(disclosure, Permission.READ_REPORTS, Permission.RESOLVE_IDENTITY)
        for record in PATIENTS:
            if record.id == patient_id:
                return record
        raise NotFound("no such patient", where="patient")

    def reports(self, disclosure: Disclosure, criteria: ReportCriteria) -> Page[ReportRecord]:
        self._check(disclosure, Permission.READ_REPORTS)
        found = [
            r
            for r in self.reports_
            if r.current
            and r.patient_id == criteria.patient_id
            and criteria.category in (None, r.report.category)
            and criteria.study_instance_uid in ("", r.report.study_instance_uid)
        ]
        found.sort(key=lambda r: r.observed_at, reverse=True)
        return Page(tuple(found[criteria.offset : criteria.offset + criteria.limit]), len(found), criteria.offset)

    def report(self, disclosure: Disclosure, report_id: int, version: int | None = None) -> ReportRecord:
        for record in self.report_versions(disclosure, report_id):
            if version in (None, record.version):
                return record
        raise NotFound("no such version of this report", where="version")

    def report_versions(
        self, disclosure: Disclosure, report_id: int, *, listed: bool = False
    ) -> tuple[ReportRecord, ...]:
        self._check(disclosure, Permission.READ_REPORTS)
        found = [r for r in self.reports_ if r.id == report_id]
        if not found:
            raise NotFound("no such report", where="report")
        return tuple(sorted(found, key=lambda r: -r.version))

    def observations(self, disclosure: Disclosure, criteria: ObservationCriteria) -> Page[ObservationRecord]:
        self._check(disclosure, Permission.READ_REPORTS)
        found = [
            ObservationRecord(
                r.id * 100 + n, r.version, r.id, r.patient_id, r.organization, r.observed_at, r.recorded_at, o
            )
            for r in self.reports_
            if r.current and r.patient_id == criteria.patient_id and criteria.category in ("", r.report.category)
            for n, o in enumerate(r.report.observations)
        ]
        return Page(tuple(found), len(found))

    def trend(self, disclosure: Disclosure, patient_id: int, code: Coding, asked: Measure) -> Trend:
        found = self.observations(disclosure, ObservationCriteria(patient_id=patient_id)).items
        return compared(asked, [r for r in found if r.observation.code.code == code.code])

    def studies(self, disclosure: Disclosure, criteria: StudyCriteria) -> Page[StudyRecord]:
        self._check(disclosure, Permission.READ_REPORTS)
        study = Study(STUDY_UID, PATIENTS[0].patient, "20261118", "103000", description="Chest CT")
        record = StudyRecord(
            1, 1, "CHC03", study, ("CT",), 3, 15, NOW, NOW, 4, content=StudyContent(2, 14, 1, ("CHEST",))
        )
        hit = criteria.patient_id in (None, 1) and criteria.study_instance_uids in ((), (STUDY_UID,))
        return Page((record,) if hit else (), int(hit))

    def reading_list(self, disclosure: Disclosure, criteria: ListCriteria) -> Page[ListedStudy]:
        self._check(disclosure, Permission.READ_IMAGES)
        self.listed.append(criteria)
        (record,) = self.studies(disclosure, StudyCriteria()).items
        assert record.content
        total = 120 if not criteria.waiting else int(not criteria.modality)
        found = (
            (ListedStudy(replace(record, complete=False), not criteria.waiting, record.content, 3),) if total else ()
        )
        return Page(found, total, criteria.offset)

    def series(self, disclosure: Disclosure, study_instance_uid: str) -> tuple[SeriesRecord, ...]:
        self._check(disclosure, Permission.READ_REPORTS)
        return (
            SeriesRecord(1, STUDY_UID, Series(f"{STUDY_UID}.1", "CT", 1, "肺窗 1.25 mm", "CHEST"), 12),
            SeriesRecord(2, STUDY_UID, Series(f"{STUDY_UID}.2", "CT", 2, HOSTILE, "CHEST"), 2),
        )

    def instances(self, disclosure: Disclosure, study_instance_uid: str) -> tuple[InstanceRecord, ...]:
        self._check(disclosure, Permission.READ_REPORTS)
        return tuple(
            InstanceRecord(
                n,
                STUDY_UID,
                f"{STUDY_UID}.{1 + (n > 12)}",
                f"{STUDY_UID}.9.{n}",
                "1.2",
                "1.2",
                "d",
                0,
                n,
                256,
                256,
                1,
                NOW,
            )
            for n in range(1, 15)
        )

    def decisions(
        self,
        disclosure: Disclosure,
        *,
        report_id: int | None = None,
        version: int | None = None,
        patient_id: int | None = None,
        decision_id: int | None = None,
    ) -> tuple[Decision, ...]:
        self._check(disclosure, Permission.READ_REPORTS)
        return tuple(
            d for d in self.decisions_ if report_id in (None, d.report_id) and patient_id in (None, d.patient_id)
        )

    def deliveries(
        self, disclosure: Disclosure, wanted: DeliveryCriteria | None = None, *, limit: int = 50, offset: int = 0
    ) -> Page[DeliveryRecord]:
        self._check(disclosure, Permission.MANAGE_DELIVERIES, Permission.UPLOAD)
        wanted = wanted or DeliveryCriteria()
        found = [
            d
            for d in self.deliveries_
            if wanted.state in (None, d.state)
            and wanted.text in d.source + d.text
            and wanted.category in (None, d.category)
            and wanted.source in d.source
        ]
        return Page(tuple(found[offset : offset + limit]), len(found), offset)

    def delivery(self, disclosure: Disclosure, delivery_id: int) -> DeliveryRecord:
        self._check(disclosure, Permission.MANAGE_DELIVERIES, Permission.READ_REPORTS)
        for record in self.deliveries_:
            if record.id == delivery_id:
                return record
        raise NotFound("no such delivery", where="delivery")

    def doubts(self, disclosure: Disclosure, state: DoubtState = DoubtState.OPEN) -> tuple[IdentityDoubt, ...]:
        self._check(disclosure, Permission.RESOLVE_IDENTITY)
        return tuple(d for d in self.doubts_ if d.state is state)

    def related(self, disclosure: Disclosure, record: ReportRecord) -> Related:
        self._check(disclosure, Permission.READ_REPORTS)
        return self.relations.get(record.id, Related())

    def parents(self, disclosure: Disclosure, records: Sequence[ReportRecord]) -> dict[int, ReportRecord]:
        self._check(disclosure, Permission.READ_REPORTS)
        found = ((each.id, self.relations.get(each.id, Related()).parent) for each in records)
        return {report_id: parent for report_id, parent in found if parent}

    def merges(self, disclosure: Disclosure) -> tuple[MergeRecord, ...]:
        self._check(disclosure, Permission.RESOLVE_IDENTITY)
        return tuple(self.merged)

    def audit(
        self,
        disclosure: Disclosure,
        *,
        patient_id: int | None = None,
        account: str = "",
        action: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> Page[AuditRecord]:
        self._check(disclosure, Permission.READ_AUDIT)
        found = [
            AuditRecord(
                n,
                NOW - dt.timedelta(minutes=n),
                kind,
                "success",
                "clinician",
                "clinician",
                "DH1",
                "TREAT",
                "10.0.0.8",
                what,
                1,
                "",
            )
            for n, (kind, what) in enumerate(
                [(Action.READ, "DiagnosticReport/1"), (Action.SEARCH, "Patient"), (Action.DECIDE, "DiagnosticReport/1")]
                * 50
            )
            if account in "clinician" and action in ("", kind) and patient_id in (None, 1)
        ]
        return Page(tuple(found[offset : offset + limit]), len(found), offset)


HL7 = "MSH|^~\\&|LIS|CHC07|HUB|DX|20261121||ORU^R01|77|P|2.5\rPID|1||<script>alert(1)</script>||王^芳\rOBX|1|NM|"


@dataclass
class FakeRetrieve:
    """Small contents."""

    def original(self, disclosure: Disclosure, delivery_id: int) -> Content:
        require(disclosure.principal, Permission.READ_REPORTS, Permission.MANAGE_DELIVERIES)
        data = HL7.encode() if delivery_id != 102 else bytes(range(256)) * 8
        return Content("application/hl7-v2", f'delivery "{delivery_id}".hl7', len(data), iter([data]))

    def attachment(self, disclosure: Disclosure, report_id: int, digest: str, version: int | None = None) -> Content:
        if digest != PDF_ATTACHMENT.digest:
            raise NotFound("this report has no such document", where="attachment")
        return Content("application/pdf", "report.pdf", len(PDF), iter([PDF]))

    def recording(self, disclosure: Disclosure, report_id: int, version: int | None = None) -> EcgRecording:
        return recording()


@dataclass
class FakeRecognition:
    """Decisions land in the query's list."""

    query: FakeQuery

    def decide(
        self,
        disclosure: Disclosure,
        *,
        report_id: int,
        version: int,
        verdict: Decided,
        reason: str = "",
        comment: str = "",
        order: Order | None = None,
        item: str = "",
    ) -> Decision:
        require(disclosure.principal, Permission.DECIDE)
        if verdict is Decided.NOT_RECOGNISED and reason_list().find(reason) is None:
            raise InvalidPayload("expected a reason of the list", where="reason")
        record = self.query.report(disclosure, report_id, version)
        if verdict is Decided.RECOGNISED and not record.current:
            raise Conflict("a newer version of this report exists; look at that one", where="version")
        who, number = disclosure.principal, len(self.query.decisions_) + 1
        made = Decision(
            number, report_id, version, record.patient_id, who.organization, who.account, who.name, verdict,
            dt.datetime.now(dt.UTC), reason, reason_list().version if reason else "", comment, order or Order(),
        )  # fmt: skip
        self.query.decisions_.append(made)
        return made


@dataclass
class FakeRecall:
    """One correction after it was reused."""

    found: list[Notice] = field(default_factory=list)

    def waiting(self, disclosure: Disclosure) -> Waiting:
        return Waiting(sum(each.acknowledged_at is None for each in self.found), len(self.found))

    def inbox(self, disclosure: Disclosure, *, institution: bool = False) -> tuple[Notice, ...]:
        return tuple(self.found)

    def of_report(self, disclosure: Disclosure, report_id: int) -> tuple[Notice, ...]:
        return tuple(each for each in self.found if each.report_id == report_id)

    def acknowledge(self, disclosure: Disclosure, notice_id: int, remark: str = "") -> Notice:
        (known,) = [each for each in self.found if each.id == notice_id]
        done = replace(known, acknowledged_at=NOW, acknowledged_by=disclosure.principal.account, remark=remark)
        self.found[self.found.index(known)] = done
        return done


@dataclass
class FakeStatistics:
    """Two results of others that were reused, one that was not."""

    query: FakeQuery

    def sees_all(self, disclosure: Disclosure) -> bool:
        return True

    def item_names(self) -> dict[str, tuple[str, str]]:
        return {"P-CBC": ("血常规", "Blood count")}

    def figures(self, disclosure: Disclosure, since: dt.date, until: dt.date, institution: str = "") -> Figures:
        require(disclosure.principal, Permission.READ_FIGURES)
        reused = Pair(1, "DH1", "CHC03", "2026-11", "P-CBC", True, True, Decided.RECOGNISED, price_fen=2500)
        refused = replace(reused, report_id=2, verdict=Decided.NOT_RECOGNISED, reason="01", organization="=HYPERLINK()")
        other = replace(reused, report_id=3, item="", reminded=False)
        return figures((reused, refused, other), since=since, until=until, institution=institution, openings=7)

    def decisions(
        self, disclosure: Disclosure, since: dt.date, until: dt.date, institution: str = "", limit: int = 200
    ) -> tuple[Decision, ...]:
        return tuple(self.query.decisions_[:limit])


@dataclass
class FakeIngest:
    """Takes everything but files that begin with `bad`."""

    query: FakeQuery
    hints: list[PatientHint | None] = field(default_factory=list)
    replayed: list[int] = field(default_factory=list)

    def upload(
        self,
        disclosure: Disclosure,
        content: BinaryIO,
        *,
        filename: str = "",
        hint: PatientHint | None = None,
        address: str = "",
    ) -> Receipt:
        require(disclosure.principal, Permission.UPLOAD)
        self.hints.append(hint)
        data = content.read()
        if not data:
            raise InvalidPayload("expected content, found none")
        digest = hashlib.sha256(data).hexdigest()
        if data.startswith(b"bad"):
            text, where = "expected a Part 10 file, found no DICM prefix", "byte 128"
            return Receipt(31, digest, State.QUARANTINED, NOW, (), "invalid", text, where)
        return Receipt(30, digest, State.INDEXED, NOW, (1,))

    def replay(self, disclosure: Disclosure, delivery_id: int, *, accept: bool = False) -> Receipt:
        require(disclosure.principal, Permission.MANAGE_DELIVERIES)
        if delivery_id == 102:
            raise Conflict("this delivery does not wait; there is nothing to replay", where="delivery")
        self.replayed.append(delivery_id)
        return Receipt(delivery_id, "0" * 64, State.INDEXED, NOW, (1,))


class FakeExamination:
    """Of these deliveries nothing is told by segments."""

    def examined(self, disclosure: Disclosure, delivery_id: int) -> Examined | None:
        require(disclosure.principal, Permission.READ_REPORTS, Permission.MANAGE_DELIVERIES)
        return None

    def editable(self, record: DeliveryRecord) -> bool:
        return record.format is Format.HL7V2


@dataclass
class FakeRepairs:
    """Reads the chosen again; of a search, the first one."""

    ingest: FakeIngest

    def replay(self, disclosure: Disclosure, which: list[int] | DeliveryCriteria) -> Replayed:
        require(disclosure.principal, Permission.MANAGE_DELIVERIES)
        wanted = [101] if isinstance(which, DeliveryCriteria) else which
        for delivery_id in wanted:
            self.ingest.replay(disclosure, delivery_id)
        return Replayed({State.INDEXED: len(wanted)})


@dataclass
class FakeResolution:
    """Remembers what was decided."""

    decided: list[tuple[int, bool, str]] = field(default_factory=list)
    reopened: list[int] = field(default_factory=list)

    def decide(self, disclosure: Disclosure, doubt_id: int, link: bool, reason: str = "") -> None:
        require(disclosure.principal, Permission.RESOLVE_IDENTITY)
        self.decided.append((doubt_id, link, reason))

    def reopen(self, disclosure: Disclosure, doubt_id: int) -> None:
        require(disclosure.principal, Permission.RESOLVE_IDENTITY)
        self.reopened.append(doubt_id)


def _delivery(number: int, state: State, form: Format, channel: Channel, fault: tuple[str, str, str]) -> DeliveryRecord:
    category, text, where = fault
    notes = ("PID-3: no assigning authority", "OBX[4]-5: value kept as text")
    return DeliveryRecord(
        number, hashlib.sha256(bytes([number % 256])).hexdigest(), 48_213, form, channel, "CHC07-LIS", "CHC07",
        f"MSG{number}", NOW - dt.timedelta(hours=number % 7), state, category, text, where,
        (1,) if state is State.INDEXED else (), Accounting(42, 39, 2, 1, notes),
    )  # fmt: skip


def _deliveries() -> list[DeliveryRecord]:
    lost = ("invalid", "expected an assigning authority on a patient identifier, found none", "PID-3.4")
    cut = ("invalid", "expected 524288 bytes of pixel data, found 1024", "(7FE0,0010)")
    other = (
        "conflict",
        "the patient known under this identifier is described otherwise (sex-differs)",
        "patient identifier",
    )
    return [
        _delivery(101, State.QUARANTINED, Format.HL7V2, Channel.MLLP, lost),
        _delivery(102, State.QUARANTINED, Format.DICOM, Channel.C_STORE, cut),
        _delivery(103, State.HELD, Format.HL7V2, Channel.MLLP, other),
        _delivery(104, State.INDEXED, Format.AECG, Channel.UPLOAD, ("", "", "")),
        *(_delivery(n, State.INDEXED, Format.DICOM, Channel.C_STORE, ("", "", "")) for n in range(105, 112)),
    ]


@dataclass
class FakeReadings:
    """One ECG waits; remembers the drafts. taken: somebody else is reading it."""

    query: FakeQuery
    drafts: list[Draft] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    taken: bool = False

    def waiting(self, disclosure: Disclosure, **_: object) -> Page[WaitingEcg]:
        require(disclosure.principal, Permission.READ_ECGS)
        found = () if self.drafts else tuple(each for each in self.query.reports_ if each.id == 5)
        return Page(tuple(WaitingEcg(each, self.reading(disclosure, 5)) for each in found), len(found), 0)

    def reading(self, disclosure: Disclosure, report_id: int) -> ReadingRecord:
        require(disclosure.principal, Permission.READ_ECGS)
        claim = Claim("another", "沈一诺", "DH2", dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5))
        return ReadingRecord(report_id, ReadingState.UNCONFIRMED, 0, NOW, later=0, claim=claim if self.taken else None)

    def confirm(self, disclosure: Disclosure, report_id: int, draft: Draft) -> int:
        require(disclosure.principal, Permission.READ_ECGS)
        if self.taken:
            raise Conflict("somebody else is reading this ECG", where="claim")
        self.drafts.append(draft)
        return 2

    def claim(self, disclosure: Disclosure, report_id: int) -> None:
        require(disclosure.principal, Permission.READ_ECGS)
        self.done.append("claim")

    def release(self, disclosure: Disclosure, report_id: int) -> None:
        self.done.append("release")

    def withdraw(self, disclosure: Disclosure, report_id: int, version: int, reason: str) -> int:
        self.done.append(f"withdraw {version} {reason}")
        return 2


class FakeAdvising:
    """Every institution passed everything."""

    def out_of_quality(self, disclosure: Disclosure, record: ReportRecord) -> bool:
        return False


@dataclass
class FakeVerbs:
    """What the pages call."""

    access: FakeAccess
    query: FakeQuery
    retrieve: FakeRetrieve
    recognition: FakeRecognition
    ingest: FakeIngest
    identity: FakeResolution
    examination: FakeExamination
    repairs: FakeRepairs
    recall: FakeRecall
    statistics: FakeStatistics
    readings: FakeReadings
    advising: FakeAdvising = field(default_factory=FakeAdvising)


def _notice() -> Notice:
    changes = (Change("钾", "3.4 mmol/L", "6.1 mmol/L HH"), Change(HOSTILE, HOSTILE, ""))
    return Notice(1, NoticeKind.CORRECTED, Reliance.REUSED, 4, 1, 2, 1, "DH2", "clinician", 1, changes, NOW)


def verbs() -> FakeVerbs:
    """A district with something of everything."""
    query = FakeQuery(deliveries_=_deliveries())
    query.decisions_ += [
        Decision(1, 1, 1, 1, "CITY", "doc", "赵医生", Decided.RECOGNISED, NOW - dt.timedelta(hours=3)),
        Decision(
            2,
            4,
            1,
            1,
            "DH2",
            "doc",
            HOSTILE,
            Decided.NOT_RECOGNISED,
            NOW - dt.timedelta(days=2),
            "01",
            "2024-37.1",
            HOSTILE,
        ),
        Decision(
            3, 5, 1, 1, "DH2", "doc", "钱医生", Decided.NOT_RECOGNISED, NOW - dt.timedelta(days=1), "99", "2024-37.1"
        ),
    ]
    query.doubts_ += [
        IdentityDoubt(1, 2, 1, "birth-date-differs", DoubtState.OPEN, NOW),
        IdentityDoubt(2, 3, 4, "something-new", DoubtState.OPEN, NOW),
        IdentityDoubt(3, 1, 4, "sex-differs", DoubtState.LINKED, NOW, "admin", NOW),
    ]
    ingest = FakeIngest(query)
    return FakeVerbs(
        FakeAccess(),
        query,
        FakeRetrieve(),
        FakeRecognition(query),
        ingest,
        FakeResolution(),
        FakeExamination(),
        FakeRepairs(ingest),
        FakeRecall([_notice()]),
        FakeStatistics(query),
        FakeReadings(query),
    )


def application(made: FakeVerbs) -> FastAPI:
    """The portal over the fakes, with pictures where the real hub renders DICOM."""
    app = FastAPI()
    app.state.verbs = made
    app.state.settings = SimpleNamespace(max_upload_mb=1)
    picture = phantom()

    @app.get("/dicomweb/{path:path}")
    def rendered(path: str) -> Response:
        return Response(picture, media_type="image/jpeg")

    app.include_router(portal.router)
    outcomes.install(app, page=portal.fault_page)
    portal.mount(app)
    return app
