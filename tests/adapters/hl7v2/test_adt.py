"""Demographics: what an ADT message says replaces what was known."""

import datetime as dt

import pytest

from schemas.faults import InvalidPayload
from schemas.identifiers import Identifier
from schemas.patient import PersonName, Sex
from tests.adapters.hl7v2.values import PID, message, read_bytes


def head(trigger: str) -> str:
    return f"MSH|^~\\&|HIS|CHC01|DXHUB|CENTRE|20261121103000||ADT^{trigger}|A1|P|2.5.1||||||UNICODE UTF-8"


@pytest.mark.parametrize("trigger", ["A01", "A04", "A08", "A28", "A31"])
def test_demographics_are_an_update(trigger: str) -> None:
    reading = read_bytes(message(head(trigger), f"EVN|{trigger}|20261121", PID, "PV1|1|O"))
    (patient,) = reading.patients
    assert reading.update
    assert reading.reports == ()
    assert patient.key == Identifier("urn:dxhub:authority:CHC01", "P1")
    assert (patient.name, patient.birth_date, patient.sex) == (PersonName("王芳"), dt.date(1990, 1, 1), Sex.FEMALE)
    assert (reading.accounting.total, reading.accounting.mapped, reading.accounting.kept) == (4, 2, 2)


def test_a_delete_takes_back_what_was_known() -> None:
    (patient,) = read_bytes(message(head("A08"), 'PID|1||P1||王芳||""|""')).patients
    assert (patient.birth_date, patient.sex) == (None, Sex.UNKNOWN)
    assert set(patient.deleted) == {"birth_date", "sex"}


def test_an_empty_field_takes_nothing_back() -> None:
    (patient,) = read_bytes(message(head("A08"), "PID|1||P1||王芳||||")).patients
    assert (patient.birth_date, patient.sex, patient.deleted) == (None, Sex.UNKNOWN, ())


def test_without_a_patient_it_says_nothing() -> None:
    with pytest.raises(InvalidPayload) as refused:
        read_bytes(message(head("A04"), "EVN|A04"))
    assert refused.value.where == "PID"
