"""ORU^R01 messages as a community laboratory's system sends them, and imaging reports as a RIS does."""

import datetime as dt
import math
import random
from dataclasses import dataclass

from . import courses
from .er7 import Dialect, dialect_of, message, patient_segment, segment, stamp, text
from .panels import Analyte, Panel
from .people import Person

_DELAY = dt.timedelta(hours=2, minutes=20)


@dataclass(frozen=True, slots=True)
class LabOrder:
    """A request with its specimen. number: unique at the institution. sampled_at: the patient's clock."""

    person: Person
    institution: str
    panel: Panel
    number: str
    sampled_at: dt.datetime
    elapsed: float = 1.0

    @property
    def issued_at(self) -> dt.datetime:
        return self.sampled_at + _DELAY


def measure(order: LabOrder, seed: int) -> dict[str, float]:
    """The results of an order, by local code; the same for the same seed."""
    chance = random.Random(f"{seed} {order.institution} {order.number}")
    age = order.person.age_on(order.sampled_at.date())
    return courses.results(order.person, order.panel, order.elapsed, chance, age)


def result_message(
    order: LabOrder, values: dict[str, float], control_id: str, *, status: str = "F", after: dt.timedelta | None = None
) -> bytes:
    """ORU^R01 with these values. status: OBR-25 and OBX-11 (F, C, X). after: how much later than the first issue."""
    issued = order.issued_at + (after or dt.timedelta())
    dialect = dialect_of(order.institution)
    body = [
        patient_segment(order.person, order.institution),
        segment("PV1", f1="1", f2="O", f3=f"{text('全科门诊')}^^^{order.institution}"),
        segment("ORC", f1="RE", f2=f"P{order.number}", f3=f"L{order.number}"),
        _request(order, issued, dialect, status),
        *(
            _result(number, order, analyte, values[analyte.local], dialect, status)
            for number, analyte in enumerate(order.panel.analytes, start=1)
        ),
    ]
    if status == "C":
        body.append(segment("NTE", f1="1", f2="L", f3=text("复核后更正，以本报告为准")))
    return message(order.institution, "ORU^R01^ORU_R01", control_id, issued, body)


def _request(order: LabOrder, issued: dt.datetime, dialect: Dialect, status: str) -> str:
    panel, sampled = order.panel, stamp(order.sampled_at, dialect)
    return segment(
        "OBR",
        f1="1",
        f2=f"P{order.number}",
        f3=f"L{order.number}",
        f4=f"{panel.code}^{text(panel.name)}^LN^{text(panel.local)}^{text(panel.name)}^99{order.institution}",
        f7=sampled,
        f14=stamp(order.sampled_at + dt.timedelta(minutes=25), dialect),
        f15=text(panel.specimen),
        f22=stamp(issued, dialect),
        f24=panel.section,
        f25=status,
    )


def _result(number: int, order: LabOrder, analyte: Analyte, value: float, dialect: Dialect, status: str) -> str:
    shown = f"{value:.{analyte.decimals}f}"
    name = text(analyte.name)
    return segment(
        "OBX",
        f1=str(number),
        f2="NM",
        f3=f"{analyte.code}^{name}^LN^{text(analyte.local)}^{name}^99{order.institution}",
        f5="" if status == "X" else shown,
        f6=f"{text(analyte.unit)}^{text(analyte.unit)}^UCUM",
        f7=_range(order.person, analyte),
        # Judged as printed: a reader who compares value and interval must come to the same flag.
        f8="" if status == "X" else courses.flag(order.person, analyte, float(shown)),
        f11=status,
        f14=stamp(order.sampled_at, dialect),
    )


def _range(person: Person, analyte: Analyte) -> str:
    low, high = courses.interval(person, analyte)
    if math.isinf(high):
        return f">{low:g}"
    return f"{low:g}-{high:g}" if low else f"<{high:g}"


@dataclass(frozen=True, slots=True)
class ImagingReading:
    """What the imaging centre's radiologist wrote about a study."""

    person: Person
    institution: str
    accession_number: str
    study_instance_uid: str
    procedure: tuple[str, str]  # LOINC code, Chinese name
    findings: str
    impression: str
    performed_at: dt.datetime
    issued_at: dt.datetime
    radiologist: str


def reading_message(reading: ImagingReading, sender: str, control_id: str) -> bytes:
    """ORU^R01 from the imaging centre; it names the study by accession number (OBR-18) and UID (ZDS-1).

    Source: HL7 v2.5.1 chapter 7; IHE RAD TF-2 4.1 for ZDS.
    """
    dialect = dialect_of(sender)
    code, name = reading.procedure
    body = [
        patient_segment(reading.person, reading.institution),
        segment("PV1", f1="1", f2="O", f3=f"{text('影像中心')}^^^{sender}"),
        segment(
            "ORC",
            f1="RE",
            f2=reading.accession_number,
            f3=f"R{reading.accession_number}",
            f21=f"^^^^^^^^^{reading.institution}",  # XON.10: who ordered
        ),
        segment(
            "OBR",
            f1="1",
            f2=reading.accession_number,
            f3=f"R{reading.accession_number}",
            f4=f"{code}^{text(name)}^LN",
            f7=stamp(reading.performed_at, dialect),
            f18=reading.accession_number,
            f22=stamp(reading.issued_at, dialect),
            f24="RAD",
            f25="F",
            f32=f"&{text(reading.radiologist)}",
        ),
        segment("ZDS", f1=f"{reading.study_instance_uid}^DXHUB^Application^DICOM"),
        _paragraph(1, "18782-3", "影像所见", reading.findings),
        _paragraph(2, "19005-8", "影像诊断", reading.impression),
    ]
    return message(sender, "ORU^R01^ORU_R01", control_id, reading.issued_at, body)


def _paragraph(number: int, code: str, title: str, words: str) -> str:
    return segment("OBX", f1=str(number), f2="TX", f3=f"{code}^{text(title)}^LN", f5=text(words), f11="F")
