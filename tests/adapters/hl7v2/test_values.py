"""What a clinician sees of a value, a time, a name: as sent, or left out and said so, never guessed."""

import datetime as dt
from decimal import Decimal

import pytest

from schemas.codes import LOINC, UCUM, Coding
from schemas.identifiers import HEALTH_CARD, RESIDENT_ID, Identifier
from schemas.observation import Interval, Moment, Observation, Quantity, Ratio
from schemas.patient import Patient, PersonName, Sex
from tests.adapters.hl7v2.values import OBR, RESIDENT_NUMBER, results

CHINA = dt.timezone(dt.timedelta(hours=8))


def observation(obx: str) -> Observation:
    (found,) = results(obx).reports[0].observations
    return found


def patient(pid: str) -> Patient:
    return results("OBX|1|NM|1^K^L||4.1|||||F", pid=pid).reports[0].patient


@pytest.mark.parametrize(
    ("kind", "sent", "value"),
    [
        ("NM", "4.10", Quantity(Decimal("4.10"), "mmol/L")),
        ("NM", "<0.1", Quantity(Decimal("0.1"), "mmol/L", "<")),
        ("NM", "≥ 10", Quantity(Decimal(10), "mmol/L", ">=")),
        ("NM", "＜０.５", Quantity(Decimal("0.5"), "mmol/L", "<")),
        ("NM", "15.", Quantity(Decimal(15), "mmol/L")),
        ("NM", "-1.2E3", Quantity(Decimal(-1200), "mmol/L")),
        ("NM", "***.*", "***.*"),
        ("NM", "阴性(-)", "阴性(-)"),
        ("NM", "NaN", "NaN"),
        ("NM", "1e999999999", "1e999999999"),
        ("NM", "", None),
        ("NM", '""', None),
        ("SN", ">^100", Quantity(Decimal(100), "mmol/L", ">")),
        ("SN", "^182", Quantity(Decimal(182), "mmol/L")),
        ("SN", "=^5", Quantity(Decimal(5), "mmol/L")),
        ("SN", ">=32", Quantity(Decimal(32), "mmol/L", ">=")),
        ("SN", "^1^:^128", Ratio(Decimal(1), Decimal(128), "", "mmol/L")),
        ("SN", ">^1^:^128", Ratio(Decimal(1), Decimal(128), ">", "mmol/L")),
        ("SN", "^2^-^4", Interval(Decimal(2), Decimal(4), "mmol/L")),
        ("SN", "^4^-^2", "4-2"),
        ("NR", "2^4", Interval(Decimal(2), Decimal(4), "mmol/L")),
        ("NR", "^4", Interval(None, Decimal(4), "mmol/L")),
        ("NR", "low^high", "low^high"),
        ("CQ", "5^mg", Quantity(Decimal(5), "mmol/L")),
        ("SN", "^1^+", "1+"),
        ("SN", "none", "none"),
        ("ST", "1~2", "1\n2"),
        ("TX", r"first\.br\second \T\ third", "first\nsecond & third"),
        ("ST", "Smith & Sons", "Smith & Sons"),
        ("CE", "112283007^大肠埃希菌^SCT", Coding("112283007", "大肠埃希菌", "http://snomed.info/sct")),
        ("CWE", "^^^L1^见报告^L", Coding("L1", "见报告", "urn:dxhub:codes:CHC01")),
        ("CWE", "^大肠埃希菌", Coding("", "大肠埃希菌")),
        ("CWE", "^^^^^^^^见报告", Coding("", "见报告")),
        ("CE", "^^L", "^^L"),
        ("CE", "A^甲^L~B^乙^L", "甲\n乙"),
        ("", "4.1", Quantity(Decimal("4.1"), "mmol/L")),
        ("", "weak", "weak"),
        ("QQ", "what^ever", "what^ever"),
        ("DT", "20261121", Moment("2026-11-21")),
        ("DT", "202611", Moment("2026-11")),
        ("DT", "2026", Moment("2026")),
        ("TS", "20261121103000", Moment("2026-11-21T10:30:00+08:00")),
        ("DTM", "20261121103000+0000", Moment("2026-11-21T10:30:00+00:00")),
        ("TS", "20260231", "20260231"),
        ("TS", "00000000", "00000000"),
        ("TM", "1030", Moment("10:30:00")),
        ("TM", "2561", "2561"),
        ("ST", "<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("ST", "=cmd|' /C calc'!A0", "=cmd"),
    ],
)
def test_a_value_is_what_its_type_says_or_the_text_that_was_sent(kind: str, sent: str, value: object) -> None:
    assert observation(f"OBX|1|{kind}|1^K^L||{sent}|mmol/L|||||F").value == value


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("NM", "4.10", ""),
        ("NM", "<0.1", ""),
        ("NM", "15.", "15."),
        ("NM", "＜０.５", "＜０.５"),
        ("NM", "1.2E3", "1.2E3"),
        ("NM", '""', '""'),
        ("NM", "", ""),
        ("SN", "^1^:^128", "^1^:^128"),
        ("TS", "202611211030", "202611211030"),
        ("CE", "A^甲^L", ""),
        ("CE", "A^甲^L^B-1^Alpha^SCT", "A^甲^L^B-1^Alpha^SCT"),
        ("CE", "A^甲^L~B^乙^L", "A^甲^L~B^乙^L"),
        ("ST", "as it is", ""),
    ],
)
def test_what_was_sent_is_kept_where_the_value_says_it_otherwise(kind: str, value: str, sent: str) -> None:
    assert observation(f"OBX|1|{kind}|1^K^L||{value}|mmol/L|||||F").sent == sent


@pytest.mark.parametrize(
    ("field", "unit"),
    [
        ("10^9/L", "10^9/L"),
        ("×10^12/L", "×10^12/L"),
        (r"10\S\9/L", "10^9/L"),
        ("10^每高倍视野^L", "10"),
        ("g/L^gram^UCUM", "g/L"),
    ],
)
def test_a_power_of_ten_in_a_unit_is_whole_though_nobody_escaped_it(field: str, unit: str) -> None:
    assert observation(f"OBX|1|NM|1^K^L||4.1|{field}|||||F").unit == unit


def test_a_deleted_value_is_not_one_that_was_never_told() -> None:
    deleted, empty = (observation(f"OBX|1|NM|1^K^L||{each}|mmol/L|||||C") for each in ('""', ""))
    assert deleted.value is None
    assert empty.value is None
    assert deleted != empty


@pytest.mark.parametrize(
    ("sent", "code"), [("危急值", "AA"), ("危急高", "HH"), ("危急值↓", "LL"), ("耐药", "R"), ("VS", "VS")]
)
def test_critical_values_and_susceptibilities_in_the_words_of_analysers(sent: str, code: str) -> None:
    assert observation(f"OBX|1|NM|1^K^L||6.9|mmol/L||{sent}|||F").interpretation == (code,)


def test_what_was_no_number_is_noted_without_its_content() -> None:
    notes = results("OBX|1|NM|1^K^L||weakly positive||||||F").accounting.notes
    assert notes == ("OBX[1]-5: not a number, kept as text",)


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("WBC^白细胞^L^6690-2^Leukocytes^LN", Coding("6690-2", "白细胞", LOINC)),
        ("6690-2^WBC^LN^WBC^白细胞^L", Coding("6690-2", "WBC", LOINC)),
        ("AFP^甲胎蛋白^L^^甲胎蛋白^LN", Coding("AFP", "甲胎蛋白", "urn:dxhub:codes:CHC01")),
        ("^^^HIV^HIV 1/2 Ag/Ab", Coding("HIV", "HIV 1/2 Ag/Ab", "urn:dxhub:codes:CHC01")),
        ("J18.9^肺炎^I10", Coding("J18.9", "肺炎", "urn:dxhub:codes:I10")),
        ("15000^Histogram^99MRC", Coding("15000", "Histogram", "urn:dxhub:codes:CHC01:99MRC")),
    ],
)
def test_a_code_keeps_the_words_of_its_source_and_prefers_loinc(field: str, code: Coding) -> None:
    assert observation(f"OBX|1|NM|{field}||1||||||F").code == code


def test_a_channel_number_takes_its_name_from_the_sub_id() -> None:
    found = observation("OBX|1|NM|2|TBil|100.0|umol/L|-|N|||F")
    assert (found.code.display, found.sub_id, found.reference_range) == ("TBil", "TBil", "")


def test_units_ranges_and_flags() -> None:
    found = observation(r"OBX|1|NM|1^K^L||4.1|10*9/L^per litre^UCUM|3.5-5.3|L~A|||F||||||M1^比色法^L")
    assert found.value == Quantity(Decimal("4.1"), "10*9/L", "", UCUM)
    assert (found.reference_range, found.interpretation, found.method) == ("3.5-5.3", ("L", "A"), "比色法")
    assert observation(r"OBX|1|NM|1^K^L||4.1|10\S\9/L||↑↑|||F").interpretation == ("HH",)
    assert observation("OBX|1|NM|1^K^L||4.1|||H^High^HL70078|||F").interpretation == ("H",)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("20261121100000", dt.datetime(2026, 11, 21, 10, tzinfo=CHINA)),
        ("202611211000", dt.datetime(2026, 11, 21, 10, tzinfo=CHINA)),
        ("20261121", dt.datetime(2026, 11, 21, tzinfo=CHINA)),
        ("20261121100000.25+00", dt.datetime(2026, 11, 21, 10, 0, 0, 250000, tzinfo=dt.UTC)),
        ("20261121100000-0530", dt.datetime(2026, 11, 21, 15, 30, tzinfo=dt.UTC)),
        ("2026-11-21 10:00:00", dt.datetime(2026, 11, 21, 10, tzinfo=CHINA)),
        ("2026-11-21T02:00:00Z", dt.datetime(2026, 11, 21, 10, tzinfo=CHINA)),
        ("00000000", None),
        ("20260231", None),
        ("202611", None),
        ("220241021055726", None),
        ("00010101", None),
        ("20261121250000", None),
        ("20261121100000+9900", None),
        ("yesterday", None),
    ],
)
def test_times_are_in_the_zone_of_the_source_or_left_out(sent: str, expected: dt.datetime | None) -> None:
    reading = results("OBX|1|NM|1^K^L||4.1|||||F", obr=OBR.replace("20261121100000", sent))
    assert reading.reports[0].observed_at == expected
    if expected is None:
        assert "OBR[1]-7: not a time that exists, left out" in reading.accounting.notes
        assert "observed-at-missing" in reading.reports[0].flags


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("张三", PersonName("张三")),
        ("张三^^^^", PersonName("张三")),
        ("^张三", PersonName("张三")),
        ("张^三", PersonName("张三")),
        ("王　芳", PersonName("王芳")),
        ("欧阳^娜 娜", PersonName("欧阳娜娜")),
        ("张三^Zhang San", PersonName("张三", "Zhang San")),
        ("张三~ZHANG^SAN^^^^^L^A", PersonName("张三", "ZHANG SAN")),
        ("ZHANG^SAN~张^三^^^^^L^I", PersonName("张三", "ZHANG SAN")),
        ("阿卜杜·热合曼", PersonName("阿卜杜·热合曼")),
        ("测试^12", PersonName("测试12")),
        ("van Beethoven&van^Ludwig", PersonName("van Beethoven Ludwig", "van Beethoven Ludwig")),
    ],
)
def test_names_are_written_as_people_write_them(sent: str, name: PersonName) -> None:
    assert patient(f"PID|1||P1||{sent}||19900101|F").name == name


@pytest.mark.parametrize(
    ("sent", "sex"),
    [
        ("M", Sex.MALE),
        ("男", Sex.MALE),
        ("Male", Sex.MALE),
        ("1", Sex.MALE),
        ("f", Sex.FEMALE),
        ("女", Sex.FEMALE),
        ("2", Sex.FEMALE),
        ("O", Sex.OTHER),
        ("", Sex.UNKNOWN),
        ("9", Sex.UNKNOWN),
        ("?", Sex.UNKNOWN),
    ],
)
def test_sex_is_read_as_senders_write_it(sent: str, sex: Sex) -> None:
    assert patient(f"PID|1||P1||王芳||19900101|{sent}").sex == sex


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("19820123000000", dt.date(1982, 1, 23)),
        ("1982-01-23", dt.date(1982, 1, 23)),
        ("19300122000000+0215", dt.date(1930, 1, 22)),
        ("00000000", None),
        ("1982", None),
        ("", None),
    ],
)
def test_birth_dates(sent: str, expected: dt.date | None) -> None:
    assert patient(f"PID|1||P1||王芳||{sent}|F").birth_date == expected


def test_the_sources_own_identifier_is_the_key_and_national_ones_follow() -> None:
    found = patient(f"PID|1||{RESIDENT_NUMBER}^^^CN^NNCHN~P1^^^HIS^MR~H12345^^^^HC||王芳||19900101|M")
    assert found.identifiers == (
        Identifier("urn:dxhub:authority:HIS", "P1"),
        Identifier(RESIDENT_ID, RESIDENT_NUMBER),
        Identifier(HEALTH_CARD, "H12345"),
    )


@pytest.mark.parametrize(
    "pid",
    [
        f"PID|1||P1^^^^MR~{RESIDENT_NUMBER}^^^^SS||王芳",
        f"PID|1||P1~{RESIDENT_NUMBER}^^^^NI||王芳",
        f"PID|1||P1||王芳||19900101|M|||||||||||{RESIDENT_NUMBER}",
        f"PID|1|P1|{RESIDENT_NUMBER}^^^CN^ID||王芳",
    ],
)
def test_a_resident_number_is_known_wherever_it_stands(pid: str) -> None:
    found = patient(pid)
    assert found.key == Identifier("urn:dxhub:authority:CHC01", "P1")
    assert Identifier(RESIDENT_ID, RESIDENT_NUMBER) in found.identifiers


def test_a_resident_number_that_serves_as_patient_id_is_both() -> None:
    found = patient(f"PID|1||{RESIDENT_NUMBER}^^^HIS^PI||王芳")
    assert found.identifiers == (
        Identifier("urn:dxhub:authority:HIS", RESIDENT_NUMBER),
        Identifier(RESIDENT_ID, RESIDENT_NUMBER),
    )


def test_a_number_that_fails_its_check_digit_links_nobody() -> None:
    wrong = RESIDENT_NUMBER[:-1] + "9"
    reading = results("OBX|1|NM|1^K^L||4.1|||||F", pid=f"PID|1||P1~{wrong}^^^CN^ID||王芳||19900101|M")
    assert all(each.system != RESIDENT_ID for each in reading.reports[0].patient.identifiers)
    assert any(note.startswith("PID[1]-3: identity number fails") for note in reading.accounting.notes)
    assert wrong not in "".join(reading.accounting.notes)


def test_an_authority_is_its_short_name_or_its_universal_id() -> None:
    assert patient("PID|1||P1^^^HIS&1.2.3&ISO^MR||王芳").key.system == "urn:dxhub:authority:HIS"
    assert patient("PID|1||P1^^^&1.2.3&ISO^MR||王芳").key.system == "urn:dxhub:authority:1.2.3"
