"""Whatever a canonical value holds comes back from FHIR, and every shape is one that FHIR knows."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codes import UCUM, Coding
from schemas.disclosure import Action, AuditRecord, Purpose, Role
from schemas.fhir import (
    audit_event,
    diagnostic_report,
    document,
    imaging_study,
    observation,
    organization,
    patient,
    provenance,
)
from schemas.fhir.references import Links
from schemas.observation import Interval, Moment, Observation, ObservationRecord, Quantity, Ratio, Value
from schemas.organization import Organization, OrganizationRecord
from schemas.patient import Patient, PatientRecord, PersonName
from schemas.recognition import Decision
from schemas.report import Report, ReportRecord
from schemas.study import InstanceRecord, Series, SeriesRecord, Study, StudyRecord

from . import values as v

NOW = dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
LINKS = Links("http://hub/fhir/R4", {"CHC01": v.CHC01}, {"1.2.840.113619.2.5": 3}, "http://hub/dicomweb")

few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@few
@given(v.patients, st.booleans())
def test_patient(value: Patient, doubtful: bool) -> None:
    served = v.validated(patient.to_fhir(PatientRecord(12, 3, value, NOW, doubtful)))
    assert patient.from_fhir(served) == value
    assert (served["id"], served["meta"]["versionId"]) == ("12", "3")


@few
@given(v.organizations)
def test_organization(value: Organization) -> None:
    assert organization.from_fhir(v.validated(organization.to_fhir(OrganizationRecord(4, value)))) == value


@few
@given(v.observations)
def test_observation(value: Observation) -> None:
    record = ObservationRecord(5, 2, 12, 1, "CHC01", value.observed_at or NOW, NOW, value, "laboratory")
    read = observation.from_fhir(v.validated(observation.to_fhir(record, LINKS)))
    assert read == dataclasses.replace(value, observed_at=record.observed_at)


@few
@given(v.reports)
def test_report_with_its_results_inside(value: Report) -> None:
    record = ReportRecord(12, 2, False, 1, "CHC01", NOW, NOW, 9, value)
    served = v.validated(diagnostic_report.to_fhir(record, LINKS))
    # A result's own time says nothing where it is the report's.
    told_once = (observation.without_report_time(each, value.observed_at) for each in value.observations)
    assert diagnostic_report.from_fhir(served, value.patient) == dataclasses.replace(
        value, observations=tuple(told_once)
    )


@few
@given(v.reports)
def test_current_report_references_its_results(value: Report) -> None:
    ids = tuple(range(100, 100 + len(value.observations)))
    served = v.validated(
        diagnostic_report.to_fhir(ReportRecord(12, 2, True, 1, "CHC01", NOW, NOW, 9, value, False, ids), LINKS)
    )
    assert [each["reference"] for each in served.get("result", [])] == [f"Observation/{key}" for key in ids]
    assert "contained" not in served


@few
@given(v.decisions)
def test_decision(value: Decision) -> None:
    served = v.validated(provenance.to_fhir(value, LINKS))
    assert provenance.from_fhir(served) == value
    assert served["target"] == [{"reference": f"DiagnosticReport/{value.report_id}/_history/{value.version}"}]


audit_records = st.builds(
    AuditRecord,
    id=v.keys,
    at=v.moments,
    action=st.sampled_from(Action),
    outcome=st.sampled_from(["success", "forbidden", "internal"]),
    account=v.maybe,
    role=st.sampled_from(["", *(role.value for role in Role)]),
    organization=st.sampled_from(["", "CHC01"]),
    purpose=st.sampled_from(["", *(purpose.value for purpose in Purpose)]),
    address=st.sampled_from(["", "127.0.0.1"]),
    entity=st.sampled_from(["", "DiagnosticReport/12", "DiagnosticReport/12/_history/2", "Delivery", "search?"]),
    patient_id=st.none() | v.keys,
    detail=v.maybe,
)


@few
@given(audit_records)
def test_audit_record(value: AuditRecord) -> None:
    assert audit_event.from_fhir(v.validated(audit_event.to_fhir(value, LINKS))) == value


series_values = st.builds(
    Series,
    st.just("1.2.3.4"),
    st.sampled_from(["", "CT", "MR"]),
    st.none() | st.integers(0, 99),
    v.maybe,
    st.sampled_from(["", "CHEST"]),
    st.sampled_from(["", "L", "R", "B", "unpaired"]),
)


@few
@given(v.patients, st.lists(series_values, max_size=2), v.moments, v.maybe, v.maybe, v.maybe, v.maybe)
def test_study(
    who: Patient, series: list[Series], at: dt.datetime, accession: str, study_id: str, description: str, referrer: str
) -> None:
    clock = at.strftime("%H%M%S.%f" if at.microsecond else "%H%M%S")
    study = Study("1.2.3", who, at.strftime("%Y%m%d"), clock, accession, study_id, description, referrer)
    record = StudyRecord(3, 1, "CHC01", study, ("CT", "SR"), len(series), 28, NOW, at, 12)
    listed = [SeriesRecord(n, "1.2.3", each, 14) for n, each in enumerate(series, 1)]
    ct = "1.2.840.10008.5.1.4.1.1.2"
    instance = InstanceRecord(1, "1.2.3", "1.2.3.4", "1.2.3.4.5", ct, "1.2", "ab" * 32, 340, 1, 512, 512, 1, NOW)
    served = v.validated(imaging_study.to_fhir(record, LINKS, listed, {"1.2.3.4": [instance]}))
    assert imaging_study.from_fhir(served, who) == (study, tuple(series))


def test_a_study_of_a_page_of_results_says_that_it_is_not_whole() -> None:
    study = Study("1.2.3", Patient((), PersonName("王芳")))
    served = v.validated(imaging_study.to_fhir(StudyRecord(3, 1, "CHC01", study, ("CT",), 1, 28, NOW, NOW, 12)))
    assert served["meta"]["tag"][0]["code"] == "SUBSETTED"


@pytest.mark.parametrize("written", ["5.10", "0.00", "1200", "-0.5", "1E+9", "0.0000001"])
def test_a_decimal_keeps_its_precision(written: str) -> None:
    text = document.dumps({"value": Decimal(written)}).decode()
    assert str(document.loads(text)["value"]) == str(Decimal(written))


@pytest.mark.parametrize(
    ("sent", "system", "code"),
    [("g/L", UCUM, "g/L"), ("g/L", "", "g/L"), ("×10^9/L", "", "10*9/L"), ("G/L", "", None), ("碗", "", None)],
)
def test_a_unit_has_its_code_where_it_is_known_and_always_its_own_words(sent: str, system: str, code: str) -> None:
    result = Observation(Coding("718-7"), Quantity(Decimal(138), sent, "", system), reference_range="130-175")
    served = observation.elements(result, NOW)
    assert served["valueQuantity"].get("code") == code
    assert served["valueQuantity"]["unit"] == sent
    assert served["referenceRange"][0]["low"].get("code") == code


def test_a_unit_that_a_person_mapped_has_the_code_that_they_gave_it() -> None:
    said = Observation(Coding("718-7"), Quantity(Decimal(138), "克每升"))
    record = ObservationRecord(5, 2, 12, 1, "CHC01", NOW, NOW, said, "laboratory", unit_code="g/L")
    served = v.validated(observation.to_fhir(record, LINKS))["valueQuantity"]
    assert (served["unit"], served["system"], served["code"]) == ("克每升", UCUM, "g/L")


def test_a_range_by_sex_and_age_says_of_whom_it_holds() -> None:
    told = "男(≥18岁):4.3-5.8；女:3.8-5.1"
    served = observation.elements(Observation(Coding("789-8"), None, unit="10*12/L", reference_range=told), NOW)
    first, second = served["referenceRange"]
    assert first["appliesTo"][0]["coding"][0]["code"] == "male"
    assert first["age"] == {"low": {"value": 18, "unit": "a", "system": UCUM, "code": "a"}}
    assert (second["low"]["value"], second["high"]["value"]) == (Decimal("3.8"), Decimal("5.1"))
    assert [each["text"] for each in (first, second)] == ["男(≥18岁):4.3-5.8", "女:3.8-5.1"]


@pytest.mark.parametrize(
    ("value", "element"),
    [
        (Quantity(Decimal("0.1"), "ng/mL", "<"), "valueQuantity"),
        (Interval(Decimal(2), Decimal(4)), "valueRange"),
        (Ratio(Decimal(1), Decimal(128)), "valueRatio"),
        (Moment("2026-11-21"), "valueDateTime"),
        (Moment("10:30:00"), "valueTime"),
        (Coding("A", "甲"), "valueCodeableConcept"),
        (Coding("", "只有文字"), "valueCodeableConcept"),
        ("阴性(-)", "valueString"),
        (None, "dataAbsentReason"),
    ],
)
def test_each_type_of_value_has_its_element(value: Value, element: str) -> None:
    assert element in observation.elements(Observation(Coding("1"), value), NOW)
