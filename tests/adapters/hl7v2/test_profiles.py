"""What a sender's profile makes of messages that say it their own way; without it they stay as they are."""

import datetime as dt
import io
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.header import header
from adapters.hl7v2.reader import read
from adapters.hl7v2.repairs import REPAIRS
from schemas.delivery import Channel, Origin, Reading
from schemas.faults import Fault, InvalidPayload
from schemas.identifiers import HEALTH_CARD, RESIDENT_ID, Identifier, authority_system
from schemas.observation import Quantity
from schemas.organization import Source
from schemas.patient import Sex
from schemas.report import ReportStatus

# Region 990 does not exist: valid, and nobody's.
NUMBER = "990101196804123320"
SOURCE = Source(1, "CHC01", "CHC01", "CHC01")
RECEIVED = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
SHANGHAI = dt.timezone(dt.timedelta(hours=8))


def message(
    pid: str = "PID|1||P1^^^CHC01^MR||王^芳||19680412|F",
    *others: str,
    obr: str = "OBR|1||F1|CBC^血常规|||20261121081500|||||||||||||||20261121083000||LAB|F",
    obx: str = "OBX|1|NM|WBC^白细胞||7.2|10*9/L|3.5-9.5|N|||F",
    msh: str = "MSH|^~\\&|LIS|CHC01|HUB|DX|20261121083000||ORU^R01|1|P|2.5",
) -> str:
    return "".join(f"{line}\r" for line in (msh, pid, *others, obr, obx))


def read_as(text: str | bytes, **profile: object) -> Reading:
    content = text if isinstance(text, bytes) else text.encode()
    source = replace(SOURCE, **profile)  # type: ignore[arg-type]
    return read(io.BytesIO(content), Origin(source, Channel.MLLP, RECEIVED))


def identifiers(text: str, **profile: object) -> tuple[Identifier, ...]:
    return read_as(text, **profile).reports[0].patient.identifiers


OWN = Identifier(authority_system("CHC01"), "P1")


@pytest.mark.parametrize(
    ("pid", "others", "field"),
    [
        (f"PID|1|{NUMBER}|P1^^^CHC01^MR||王^芳", (), "PID-2"),
        (f"PID|1||P1^^^CHC01^MR|{NUMBER}|王^芳", (), "PID-4"),
        ("PID|1||P1^^^CHC01^MR||王^芳", (f"PV1|1|O|||||||||||||||||V^{NUMBER}",), "PV1-19.2"),
        ("PID|1||P1^^^CHC01^MR||王^芳", (f"ZPI|1||{NUMBER}",), "ZPI-3"),
    ],
)
def test_the_identity_number_is_read_where_the_profile_says(pid: str, others: tuple[str, ...], field: str) -> None:
    text = message(pid, *others)
    assert identifiers(text) == (OWN,)
    assert identifiers(text, identity_field=field) == (OWN, Identifier(RESIDENT_ID, NUMBER))


def test_a_number_that_is_none_is_flagged_and_left_out() -> None:
    text = message("PID|1||P1^^^CHC01^MR||王^芳", "ZPI|1||990101196804123321")
    reading = read_as(text, identity_field="ZPI-3")
    assert reading.reports[0].patient.identifiers == (OWN,)
    assert any("ZPI" in note and "identity number" in note for note in reading.accounting.notes)


def test_a_later_patient_s_number_is_not_taken_for_this_one_s() -> None:
    second = "PID|2||P2^^^CHC01^MR||李^娜"
    text = message("PID|1||P1^^^CHC01^MR||王^芳") + message(second, f"ZPI|1||{NUMBER}").partition("\r")[2]
    first, other = read_as(text, identity_field="ZPI-3").reports
    assert first.patient.identifiers == (OWN,)
    assert Identifier(RESIDENT_ID, NUMBER) in other.patient.identifiers


def test_authorities_are_known_by_the_profile() -> None:
    text = message("PID|1||P1^^^东院^MR~880012^^^社保^XX||王^芳")
    known = (("东院", "CHC02"), ("社保", HEALTH_CARD))
    assert identifiers(text, authorities=known) == (
        Identifier(authority_system("CHC02"), "P1"),
        Identifier(HEALTH_CARD, "880012"),
    )
    police = message(f"PID|1||P1^^^CHC01^MR~{NUMBER}^^^公安^XX||王^芳")
    assert identifiers(police, authorities=(("公安", RESIDENT_ID),)) == (OWN, Identifier(RESIDENT_ID, NUMBER))


def test_the_character_set_of_the_profile_overrides_a_lie() -> None:
    lying = message(msh="MSH|^~\\&|LIS|CHC01|HUB|DX|20261121083000||ORU^R01|1|P|2.5||||||BIG-5").encode("gb18030")
    assert read_as(lying).reports[0].patient.name.text != "王芳"
    assert read_as(lying, charset="gb18030").reports[0].patient.name.text == "王芳"


def test_the_zone_of_the_profile_is_that_of_times_without_one() -> None:
    (report,) = read_as(message(), time_zone="Asia/Urumqi").reports
    assert report.observed_at is not None
    assert report.observed_at.utcoffset() == dt.timedelta(hours=6)


def test_a_given_name_that_comes_first() -> None:
    text = message("PID|1||P1||芳^王||19680412|F")
    assert read_as(text).reports[0].patient.name.text == "芳王"
    assert read_as(text, repairs=("given-name-first",)).reports[0].patient.name.text == "王芳"


@pytest.mark.parametrize(
    ("code", "repair", "sex"),
    [
        ("0", "sex-0-male-1-female", Sex.MALE),
        ("1", "sex-0-male-1-female", Sex.FEMALE),
        ("1", "sex-0-female-1-male", Sex.MALE),
        ("男", "sex-0-female-1-male", Sex.MALE),
    ],
)
def test_sex_by_a_table_of_the_sender_s_own(code: str, repair: str, sex: Sex) -> None:
    assert read_as(message(f"PID|1||P1||王^芳||19680412|{code}"), repairs=(repair,)).reports[0].patient.sex is sex


@pytest.mark.parametrize("characters", ["", "^~\\&^", "    "])
def test_encoding_characters_that_say_nothing(characters: str) -> None:
    text = message(msh=f"MSH|{characters}|LIS|CHC01|HUB|DX|20261121083000||ORU^R01|1|P|2.5")
    with pytest.raises(InvalidPayload):
        read_as(text)
    assert read_as(text, repairs=("standard-encoding-characters",)).reports[0].patient.name.text == "王芳"


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_text_that_was_encoded_twice(codec: str) -> None:
    twice = message().encode(codec).decode("latin-1").encode()
    assert read_as(twice).reports[0].patient.name.text != "王芳"
    assert read_as(twice, repairs=("text-encoded-twice",)).reports[0].patient.name.text == "王芳"
    assert read_as(message(), repairs=("text-encoded-twice",)).reports[0].patient.name.text == "王芳"


@pytest.mark.parametrize(
    ("time", "repair", "moment"),
    [
        ("2026/1/5 8:05:00", "times-as-displayed", (2026, 1, 5, 8, 5)),
        ("2026-1-5 下午 3:05", "times-as-displayed", (2026, 1, 5, 15, 5)),
        ("2026年1月5日 8时5分", "times-as-displayed", (2026, 1, 5, 8, 5)),
        ("2026/1/5 12:05:00 AM", "times-as-displayed", (2026, 1, 5, 0, 5)),
        ("05/01/2026 08:05", "times-day-first", (2026, 1, 5, 8, 5)),
        ("5.1.2026 8:05:30", "times-day-first", (2026, 1, 5, 8, 5)),
    ],
)
def test_times_as_people_write_them(time: str, repair: str, moment: tuple[int, ...]) -> None:
    obr = f"OBR|1||F1|CBC^血常规|||{time}|||||||||||||||20261121083000||LAB|F"
    assert read_as(message(obr=obr)).reports[0].observed_at is None
    found = read_as(message(obr=obr), repairs=(repair,)).reports[0].observed_at
    assert found is not None
    assert found.replace(second=0) == dt.datetime(*moment, tzinfo=SHANGHAI)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("obx", "repair", "value", "flag"),
    [
        ("OBX|1|NM|WBC^白细胞||12.5↑|10*9/L|3.5-9.5||||F", "flag-behind-value", "12.5", ("H",)),
        ("OBX|1|ST|WBC^白细胞||2.1 L|10*9/L|3.5-9.5||||F", "flag-behind-value", "2.1", ("L",)),
        ("OBX|1|NM|WBC^白细胞||7.2 10*9/L||3.5-9.5|N|||F", "unit-behind-value", "7.2", ("N",)),
    ],
)
def test_what_stands_behind_the_value(obx: str, repair: str, value: str, flag: tuple[str, ...]) -> None:
    assert isinstance(read_as(message(obx=obx)).reports[0].observations[0].value, str)
    (found,) = read_as(message(obx=obx), repairs=(repair,)).reports[0].observations
    assert found.value == Quantity(Decimal(value), "10*9/L")
    assert found.interpretation == flag


@pytest.mark.parametrize("value", ["1:160", "阴性", "5.6 阳性", "见报告"])
def test_words_and_ratios_are_no_values_with_units(value: str) -> None:
    obx = f"OBX|1|ST|X^某||{value}||||||F"
    plain = read_as(message(obx=obx)).reports[0].observations
    assert (
        read_as(message(obx=obx), repairs=("unit-behind-value", "flag-behind-value")).reports[0].observations == plain
    )


def test_results_without_a_status_are_final_only_where_the_profile_says_so() -> None:
    text = message(obr="OBR|1||F1|CBC^血常规", obx="OBX|1|NM|WBC^白细胞||7.2|10*9/L")
    assert read_as(text).reports[0].status is ReportStatus.PRELIMINARY
    assert read_as(text, repairs=("final-when-unsaid",)).reports[0].status is ReportStatus.FINAL
    told = message(obr="OBR|1||F1|CBC^血常规", obx="OBX|1|NM|WBC^白细胞||7.2|10*9/L|||||P")
    assert read_as(told, repairs=("final-when-unsaid",)).reports[0].status is ReportStatus.PRELIMINARY


def test_a_code_behind_a_channel_number() -> None:
    text = message(obx="OBX|1|NM|12|TBil|17.1|umol/L|3-26|N|||F")
    (found,) = read_as(text, repairs=("code-in-sub-id",)).reports[0].observations
    assert (found.code.code, found.sub_id) == ("TBil", "12")


def test_a_repair_that_changed_something_says_so_without_content() -> None:
    notes = read_as(message("PID|1||P1||芳^王"), repairs=REPAIRS).accounting.notes
    assert any(note.startswith("PID[1]") and "given-name-first" in note for note in notes)
    assert not any("王" in note for note in notes)


@given(st.text("MSHPIDOBXR|^~\\&\r123abc王 :/", max_size=300), st.sampled_from([*REPAIRS, ""]))
def test_no_repair_trips_over_any_message(text: str, repair: str) -> None:
    try:
        read_as(("MSH|^~\\&|" + text).encode(), repairs=(repair,) if repair else REPAIRS, identity_field="ZPI-3")
    except Fault:
        return


def test_who_sends_is_told_even_where_encoding_characters_say_nothing() -> None:
    found = header(message(msh="MSH||LIS|CHC01|HUB|DX|20261121083000||ORU^R01|77|P|2.5").encode())
    assert (found.facility, found.control_id) == ("CHC01", "77")
