"""Units: what laboratories write in UCUM, and which numbers may stand on one curve."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.analytes import analytes
from schemas.codes import UCUM
from schemas.units import factor, ucum


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("×10^9/L", "10*9/L"),
        ("10^9/L", "10*9/L"),
        ("10*9/L", "10*9/L"),
        ("10⁹/L", "10*9/L"),
        ("10E9/L", "10*9/L"),
        ("x10^12/L", "10*12/L"),
        ("10^3/μL", "10*3/uL"),
        ("K/uL", "10*3/uL"),
        ("μmol/L", "umol/L"),
        ("µmol/L", "umol/L"),
        ("umol/l", "umol/L"),
        ("MMOL/L", "mmol/L"),
        ("mIU/L", "m[IU]/L"),
        ("uIU/mL", "u[IU]/mL"),
        ("IU/mL", "[IU]/mL"),
        ("U/L", "U/L"),
        ("秒", "s"),
        ("sec", "s"),
        ("%", "%"),
        ("fL", "fL"),
        ("pg", "pg"),
        ("ng/mL", "ng/mL"),
        ("mg/dl", "mg/dL"),
        ("/HP", "/[HPF]"),
        ("个/HP", "/[HPF]"),
        ("mm/h", "mm/h"),
        ("ＭＭ／Ｈ", "mm/h"),
        ("mL/min/1.73m^2", "mL/min/{1.73_m2}"),
        ("mmHg", "mm[Hg]"),
    ],
)
def test_what_laboratories_write_is_known_in_ucum(sent: str, code: str) -> None:
    assert ucum(sent) == code
    assert ucum(code, UCUM) == code


@pytest.mark.parametrize("sent", ["", "-", "阳性", "G/L", "T/L", "Gauss", "xx", "m" * 300, "10*999999999/L", "\0", "{"])
def test_a_unit_that_may_mean_something_else_is_not_guessed(sent: str) -> None:
    assert ucum(sent) == ""


def test_a_source_that_says_ucum_is_believed_where_it_is_ucum() -> None:
    assert ucum("G/L", UCUM) == "G/L"
    assert ucum("IU/L", UCUM) == "[IU]/L"
    assert ucum("[pH]", UCUM) == "[pH]"


def test_the_units_of_the_districts_analytes_are_all_known() -> None:
    assert {each.unit for each in analytes() if each.unit and ucum(each.unit, UCUM) != each.unit} == set()


@pytest.mark.parametrize(
    ("unit", "into", "times"),
    [
        ("10*3/uL", "10*9/L", "1"),
        ("g/dL", "g/L", "10"),
        ("L/L", "%", "100"),
        ("umol/L", "mmol/L", "0.001"),
        ("u[IU]/mL", "m[IU]/L", "1"),
        ("U/L", "nkat/L", "16.6666666667"),
        ("mm[Hg]", "kPa", "0.133322387415"),
        ("{INR}", "{INR}", "1"),
        ("Cel", "Cel", "1"),
    ],
)
def test_units_of_the_same_thing_are_converted(unit: str, into: str, times: str) -> None:
    assert factor(unit, into) == Decimal(times)


@pytest.mark.parametrize(
    ("unit", "into"),
    [
        ("mg/dL", "mmol/L"),  # needs the molar mass of the analyte
        ("mmol/mol", "%"),  # HbA1c of the IFCC and of the NGSP
        ("meq/L", "mmol/L"),  # needs the charge
        ("[IU]/mL", "/mL"),
        ("U/L", "[IU]/L"),
        ("/[HPF]", "/[LPF]"),
        ("/[HPF]", "/uL"),
        ("mg/L{FEU}", "mg/L{DDU}"),  # D-dimer in two units, a factor of two apart
        ("{INR}", "%"),
        ("Cel", "K"),
        ("", "%"),
        ("", ""),
        ("10*999/L", "/L"),
        ("nonsense", "g/L"),
    ],
)
def test_units_that_nothing_proves_alike_stay_apart(unit: str, into: str) -> None:
    assert factor(unit, into) is None
    assert factor(into, unit) is None


_UNITS = st.sampled_from(["g/L", "g/dL", "mg/mL", "10*9/L", "/uL", "mmol/L", "U/L", "%", "[IU]/mL", "s", "/[HPF]"])


@given(_UNITS, _UNITS, _UNITS)
def test_conversion_is_the_same_by_every_way(one: str, two: str, three: str) -> None:
    there, on, direct = factor(one, two), factor(two, three), factor(one, three)
    assert (there is None) == (factor(two, one) is None)
    if there is not None and on is not None:
        assert direct is not None
        assert float(there * on) == pytest.approx(float(direct))


@settings(max_examples=150)
@given(st.text(max_size=14) | st.text("mugLl/()*^10.{}[]IU%'-", max_size=14), st.sampled_from(["", UCUM]))
def test_no_text_is_too_strange(text: str, system: str) -> None:
    code = ucum(text, system)
    assert not code or (factor(code, code) == 1 and ucum(code, UCUM) == code)
