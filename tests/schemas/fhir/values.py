"""Canonical values as hypothesis may imagine them, and the judge of every FHIR shape that leaves the hub."""

import dataclasses
import datetime as dt
import json
from decimal import Decimal
from zoneinfo import ZoneInfo

from fhir.resources.R4B import get_fhir_model_class
from hypothesis import strategies as st

from schemas.codes import LOINC, UCUM, Coding
from schemas.fhir import document
from schemas.fhir.elements import Resource
from schemas.identifiers import RESIDENT_ID, Identifier, authority_system
from schemas.observation import Interval, Moment, Observation, Quantity, Ratio
from schemas.organization import Organization, OrganizationKind, OrganizationRecord
from schemas.patient import Patient, PersonName, Sex
from schemas.recognition import Decided, Decision, Order
from schemas.report import Attachment, Report, ReportCategory, ReportStatus

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHC01 = OrganizationRecord(7, Organization("CHC01", "第一社区卫生服务中心", "Community Health Centre 1"))


def validated(resource: Resource) -> Resource:
    """The resource as a client reads it, after the FHIR R4B models have accepted it and lost nothing of it."""
    served = document.loads(document.dumps(resource))
    model = get_fhir_model_class(served["resourceType"]).model_validate_json(document.dumps(resource))
    kept = json.loads(model.model_dump_json())
    assert _names(served) == _names(kept)
    return served


def _names(value: object, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return {path} | {name for key, each in value.items() for name in _names(each, f"{path}.{key}")}
    if isinstance(value, list):
        return {name for n, each in enumerate(value) for name in _names(each, f"{path}[{n}]")}
    return {path}


def _words(size: int = 12) -> st.SearchStrategy[str]:
    printable = st.characters(exclude_categories=("C", "Z"), max_codepoint=0x2FFFF)
    return st.lists(st.text(printable, min_size=1, max_size=size), min_size=1, max_size=3).map(" ".join)


words = _words()
maybe = st.just("") | words
code = st.from_regex(r"[A-Za-z0-9.\-]{1,10}", fullmatch=True)
# Aware of their zone, from before Shanghai had a standard time to after today.
moments = st.timedeltas(dt.timedelta(days=-20_000), dt.timedelta(days=20_000)).flatmap(
    lambda after: st.sampled_from([SHANGHAI, dt.UTC]).map((dt.datetime(1950, 1, 1, tzinfo=dt.UTC) + after).astimezone)
)
codings = st.builds(Coding, code, maybe, st.sampled_from(["", LOINC, "urn:dxhub:codes:Ward 3 100%"])) | st.builds(
    Coding, st.just(""), words, st.just("")
)
quantities = st.builds(
    Quantity,
    st.decimals(allow_nan=False, allow_infinity=False, places=3) | st.sampled_from([Decimal("5.10"), Decimal("1E+9")]),
    maybe,
    st.sampled_from(["", "<", "<=", ">=", ">"]),
) | st.builds(Quantity, st.just(Decimal(138)), st.just("g/L"), st.just(""), st.just(UCUM))
_numbers = st.decimals(allow_nan=False, allow_infinity=False, places=2)
_units = st.sampled_from(["", "g/L", "×10^9/L", "Ward 3"])
intervals = st.builds(Interval, _numbers, st.none() | _numbers, _units) | st.builds(
    Interval, st.none(), _numbers, _units
)
ratios = st.builds(Ratio, _numbers, _numbers, st.sampled_from(["", ">"]), _units)
days = st.sampled_from(["2026", "2026-11", "2026-11-21", "2026-11-21T10:30:00+08:00", "10:30:00"]).map(Moment)
ranges = st.sampled_from(
    ["3.5-9.5", "<5.2", "男:3.5-9.5 女:3.0-9.0", "0-14岁 5-15；15岁以上 3-9", "孕早期 2-8", "阴性"]
)
identifiers = st.builds(Identifier, st.sampled_from([RESIDENT_ID, authority_system("Ward 3 西")]), words)
names = st.builds(PersonName, st.sampled_from(["王芳", "欧阳娜娜", "阿依古丽·买买提", "𠮷田"]) | words, maybe)
patients = st.builds(
    Patient,
    st.lists(identifiers, min_size=1, max_size=3).map(tuple),
    names,
    st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2030, 1, 1)),
    st.sampled_from(Sex),
)


def _told_once(made: Observation) -> Observation:
    """FHIR says the unit of a quantity once, so the result's own is that of its value where it tells none."""
    if isinstance(made.value, Quantity | Interval | Ratio) and not made.unit:
        return dataclasses.replace(made, unit=made.value.unit)
    return made


observations = st.builds(
    Observation,
    code=codings,
    value=st.none() | words | codings | quantities | intervals | ratios | days,
    sub_id=maybe,
    unit=maybe,
    reference_range=maybe | ranges,
    interpretation=st.lists(st.sampled_from(["H", "LL", "N", "↑", "很高"]), max_size=2).map(tuple),
    status=st.sampled_from(["final", "corrected", "preliminary"]),
    observed_at=st.none() | moments,
    method=maybe,
    notes=st.lists(words, max_size=2).map(tuple),
    sent=maybe,
    carried=st.booleans(),
).map(_told_once)
attachments = st.builds(Attachment.of, st.binary(max_size=4), st.just("application/pdf"), maybe)
reports = st.builds(
    Report,
    key=words,
    category=st.sampled_from(ReportCategory),
    status=st.sampled_from(ReportStatus),
    code=codings,
    patient=patients,
    organization=st.just("CHC01"),
    observed_at=st.none() | moments,
    issued_at=st.none() | moments,
    identifiers=st.lists(identifiers, max_size=2).map(tuple),
    placer_order_number=maybe,
    filler_order_number=maybe,
    accession_number=maybe,
    specimen=maybe,
    performers=st.lists(words, max_size=2).map(tuple),
    findings=maybe,
    conclusion=maybe,
    observations=st.lists(observations, max_size=3).map(tuple),
    attachments=st.lists(attachments, max_size=2).map(tuple),
    study_instance_uid=st.sampled_from(["", "1.2.840.113619.2.5"]),
    recording=st.sampled_from(["", "ab" * 32]),
    flags=st.sampled_from([(), ("no-waveform",)]),
)
organizations = st.builds(
    Organization,
    code,
    words,
    maybe,
    st.sampled_from(OrganizationKind),
    st.sampled_from(["", "91110000600037341L"]),
    st.sampled_from(["", "imaging", "laboratory", "ecg"]),
)
keys = st.integers(1, 2**53)
decisions = st.builds(
    Decision,
    id=keys,
    report_id=keys,
    version=st.integers(1, 99),
    patient_id=keys,
    organization=st.just("CHC01"),
    account=code,
    doctor=words,
    verdict=st.sampled_from(Decided),
    decided_at=moments,
    reason=st.sampled_from(["", "01", "r.99"]),
    reasons_version=st.just("2024-37.1"),
    comment=maybe,
    order=st.builds(Order, maybe, maybe, maybe, maybe, maybe, maybe),
    item=st.sampled_from(["", "P-CBC"]),
    advice=st.sampled_from(["", "reusable"]),
    showing_id=st.integers(0, 99),
    record_text=maybe,
    patient_text=maybe,
).map(lambda made: made if made.reason else dataclasses.replace(made, reasons_version=""))
