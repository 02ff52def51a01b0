"""A report as ORU^R01: our own reader makes the same report of it again, and others can read it too."""

import dataclasses
import datetime as dt
import hashlib
from decimal import Decimal
from pathlib import Path

import hl7
import pytest
from hl7apy.parser import parse_message
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.er7 import parse
from adapters.hl7v2.frames import FrameDecoder, framed
from adapters.hl7v2.writer import STATUS, write
from schemas.codes import LOINC, UCUM, Coding
from schemas.dispatch import CHARSETS, Destination, Outgoing
from schemas.faults import Fault, InvalidPayload
from schemas.identifiers import RESIDENT_ID, Identifier, authority_system
from schemas.observation import Interval, Observation, Quantity, Ratio
from schemas.patient import Patient, PersonName, Sex
from schemas.report import Attachment, Report, ReportCategory, ReportStatus
from tests.adapters.hl7v2.values import RESIDENT_NUMBER, read_bytes

NOW = dt.datetime(2026, 11, 22, 2, 0, 1, tzinfo=dt.UTC)
ZONE = dt.timezone(dt.timedelta(hours=8))
TO = Destination("DH02", "HIS", "localhost", 2575, receiving_application="HIS", receiving_facility="DH02")
HAEMOGLOBIN = Observation(Coding("718-7", "血红蛋白", LOINC), Quantity(Decimal("98.10"), "g/L"), unit="g/L")
PDF = b"%PDF-1.4\n\x00\xff"

# What a reader keeps of a text: nothing around it, line ends of one kind, no half characters.
texts = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1, max_size=40)
    .map(str.strip)
    .filter(bool)
)
lines = texts.filter(lambda text: "\n" not in text)
names = st.sampled_from(["王芳", "欧阳娜娜", "𠮷瑞", "王弢", "魚珇", "Wang Fang"])
codes = st.builds(
    Coding,
    st.from_regex(r"[A-Z0-9][A-Z0-9-]{0,10}", fullmatch=True),
    lines.map(lambda text: text.strip('" ')).filter(bool),
    st.sampled_from([LOINC, "urn:dxhub:codes:CHC01"]),
)
units = st.sampled_from(["mmol/L", "10*9/L", "μmol/L", "%", "a^b|c&d~e\\f"])
numbers = st.decimals(-10_000, 10_000, places=2)
moments = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2090, 1, 1), timezones=st.just(ZONE)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)


def quantity(unit: str, system: str) -> st.SearchStrategy[Quantity]:
    return st.builds(Quantity, numbers, st.just(unit), st.sampled_from(["", "<", "<=", ">=", ">"]), st.just(system))


@st.composite
def observations(draw: st.DrawFn, number: int) -> Observation:
    unit, system = draw(units), draw(st.sampled_from(["", UCUM]))
    low, high = sorted([draw(numbers), draw(numbers)])
    value = draw(
        st.one_of(
            quantity(unit, system),
            codes,
            st.none(),
            st.just(Interval(abs(low), abs(low) + abs(high), unit, system)),
            st.just(Ratio(Decimal(1), Decimal(128), "", unit, system)),
        )
    )
    measured = isinstance(value, Quantity | Interval | Ratio)
    return Observation(
        dataclasses.replace(draw(codes), code=f"C{number}"),
        value,
        sub_id=draw(st.sampled_from(["", "1", "1.2"])),
        unit=unit if measured else "",
        reference_range=draw(st.sampled_from(["", "3.5-5.3", "<0.1", "阴性"])),
        interpretation=draw(st.sampled_from([(), ("H",), ("HH", "A")])),
        status=draw(st.sampled_from(["final", "preliminary", "corrected", "cancelled", "entered-in-error"])),
        observed_at=draw(st.none() | moments),
        method=draw(st.just("") | lines.map(lambda text: text.strip('" '))),
        notes=tuple(draw(st.lists(texts, max_size=2))),
    )


@st.composite
def reports(draw: st.DrawFn) -> Report:
    service = draw(codes)
    filler = draw(st.from_regex(r"[A-Z][0-9]{4,12}", fullmatch=True))
    number = draw(st.from_regex(r"[A-Z][0-9]{2,9}", fullmatch=True))
    identifiers = (Identifier(authority_system("CHC01"), number), Identifier(RESIDENT_ID, RESIDENT_NUMBER))
    return Report(
        key=f"{filler}|{service.code}",
        category=ReportCategory.LABORATORY,
        status=draw(st.sampled_from([ReportStatus.FINAL, ReportStatus.CORRECTED, ReportStatus.PRELIMINARY])),
        code=service,
        patient=Patient(
            identifiers[: draw(st.integers(1, 2))],
            PersonName(draw(names)),
            draw(st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2026, 1, 1))),
            draw(st.sampled_from(Sex)),
        ),
        organization="CHC01",
        observed_at=draw(moments),
        issued_at=draw(st.none() | moments),
        placer_order_number=draw(st.just("") | st.from_regex(r"P[0-9]{3,9}", fullmatch=True)),
        filler_order_number=filler,
        specimen=draw(st.sampled_from(["", "血清", "serum"])),
        performers=draw(st.sampled_from([(), ("林医生",), ("林医生", "赵医生", "钱医生")])),
        findings=draw(st.just("") | texts),
        observations=tuple(draw(observations(number)) for number in range(draw(st.integers(1, 4)))),
        attachments=draw(st.sampled_from([(), (Attachment.of(PDF, "application/pdf", "报告单"),)])),
    )


def written(report: Report, destination: Destination = TO) -> bytes:
    contents = {each.digest: PDF for each in report.attachments}
    return write(Outgoing(report, "0123456789abcdef0123", NOW, contents), destination)


def said(report: Report) -> Report:
    """What a report says, apart from how its source happened to write it: an alphabetic name is both its writings."""
    name = report.patient.name
    if name.text.isascii():
        patient = dataclasses.replace(report.patient, name=PersonName(name.text, name.text))
        report = dataclasses.replace(report, patient=patient)
    found = tuple(
        each if isinstance(each.value, Quantity) else dataclasses.replace(each, sent="") for each in report.observations
    )
    return dataclasses.replace(report, observations=found)


@given(reports(), st.sampled_from(sorted(CHARSETS)))
def test_what_is_written_reads_back_as_the_same_report(report: Report, charset: str) -> None:
    message = written(report, dataclasses.replace(TO, charset=charset))
    assert message == written(report, dataclasses.replace(TO, charset=charset))
    (found,) = read_bytes(message).reports
    assert said(found) == said(report)
    decoder = FrameDecoder(len(message))
    decoder.feed(framed(message))
    assert decoder.next_frame() == message


@given(reports())
def test_python_hl7_reads_what_is_written(report: Report) -> None:
    found = hl7.parse(written(report).decode())
    assert str(found["MSH"][0][10]) == "0123456789abcdef0123"
    assert str(found["OBR"][0][25]) == STATUS[report.status]
    assert len(found.segments("OBX")) == len(report.observations) + len(report.attachments)


def example(**changes: object) -> Report:
    return dataclasses.replace(
        Report(
            key="F1001|58410-2",
            category=ReportCategory.LABORATORY,
            status=ReportStatus.FINAL,
            code=Coding("58410-2", "血常规", LOINC),
            patient=Patient(
                (Identifier(authority_system("CHC01"), "P1"), Identifier(RESIDENT_ID, RESIDENT_NUMBER)),
                PersonName("王芳", "Wang Fang"),
                dt.date(1990, 1, 1),
                Sex.FEMALE,
            ),
            organization="CHC01",
            observed_at=dt.datetime(2026, 11, 21, 10, tzinfo=ZONE),
            issued_at=dt.datetime(2026, 11, 21, 11, tzinfo=ZONE),
            placer_order_number="PL1",
            filler_order_number="F1001",
            observations=(
                Observation(Coding("718-7", "血红蛋白", LOINC), Quantity(Decimal("98.10"), "g/L"), unit="g/L"),
            ),
        ),
        **changes,  # type: ignore[arg-type]
    )


def segments(message: bytes, name: str) -> list[list[str]]:
    return [line.split("|") for line in message.decode().split("\r") if line.startswith(name)]


def test_hl7apy_reads_it_and_finds_nothing_against_the_standard() -> None:
    message = parse_message(written(example()).decode(), find_groups=True)
    assert message.validate()
    result = message.ORU_R01_PATIENT_RESULT.ORU_R01_ORDER_OBSERVATION
    assert result.OBR.obr_25.value == "F"
    assert result.ORU_R01_OBSERVATION.OBX.obx_5.value == "98.10"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (ReportStatus.FINAL, "F"),
        (ReportStatus.CORRECTED, "C"),
        (ReportStatus.AMENDED, "C"),
        (ReportStatus.CANCELLED, "X"),
        (ReportStatus.ENTERED_IN_ERROR, "X"),
    ],
)
def test_each_status_is_said_as_table_0123_has_it(status: ReportStatus, code: str) -> None:
    message = written(example(status=status))
    assert segments(message, "OBR")[0][25] == code
    # Of a withdrawn report no single result may look as if it still held.
    assert segments(message, "OBX")[0][11] == ("X" if code == "X" else "F")


def test_every_status_has_a_code() -> None:
    assert set(STATUS) == set(ReportStatus)


def test_a_document_that_is_too_large_to_go_along_is_named_with_its_digest() -> None:
    attached = Attachment.of(PDF, "application/pdf", "报告单")
    message = write(Outgoing(example(attachments=(attached,)), "1", NOW), TO)
    obx = segments(message, "OBX")[1]
    assert obx[2] == "RP"
    assert hashlib.sha256(PDF).hexdigest() in obx[5]
    assert obx[5].endswith("^application^PDF")


def test_an_imaging_reading_goes_as_texts_with_its_study() -> None:
    uid = "1.2.826.0.1.3680043.8.498.7"
    imaging = example(
        category=ReportCategory.IMAGING,
        observations=(),
        findings="两肺纹理清晰。\n未见实变。",
        conclusion="未见异常。",
        accession_number="A7",
        study_instance_uid=uid,
    )
    assert read_bytes(written(imaging)).reports == (imaging,)


def test_characters_that_end_frames_or_delete_values_travel_as_escapes() -> None:
    text = 'a\x1c\x0b"\x85b'
    note = example(findings=text, observations=(Observation(Coding("1", "x", LOINC), '""'),))
    message = written(note)
    assert b"\x1c" not in message
    assert b"\x0b" not in message
    (found,) = read_bytes(message).reports
    assert found.findings == text
    assert found.observations[0].value == '""'


def test_what_a_character_set_does_not_have_is_refused_rather_than_written_as_question_marks() -> None:
    lone = example(findings="\ud800")
    with pytest.raises(InvalidPayload, match="characters"):
        written(lone)


def test_every_report_of_the_samples_reads_back_as_it_was(samples: Path) -> None:
    counted = 0
    for path in sorted((samples / "hl7").rglob("*.hl7")):
        try:
            reading = read_bytes(path.read_bytes())
        except Fault:
            continue
        contents = {hashlib.sha256(part).hexdigest(): part for part in reading.parts}
        for report in reading.reports:
            message = write(Outgoing(report, "1", NOW, contents), TO)
            (found,) = read_bytes(message).reports
            # A report without a number of its own is known by its message; a document's number stands in MDM alone.
            elsewhere = {"key": report.key, "flags": report.flags, "identifiers": report.identifiers}
            assert said(dataclasses.replace(found, **elsewhere)) == said(report), path.name  # type: ignore[arg-type]
            assert parse(message).encode() == message
            counted += 1
    assert counted > 20
