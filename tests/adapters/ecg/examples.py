"""An examination that nobody had, a source that nobody runs, and what is needed to send one to the other."""

import datetime as dt
import io
from collections.abc import Callable
from functools import cache
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pydicom

from hub.demo.ecg_files import Examination, statements
from hub.demo.ecg_signal import Pattern, generate
from schemas.delivery import Channel, Origin, PatientHint, Reading
from schemas.identifiers import Identifier, authority_system
from schemas.organization import Source
from schemas.patient import Patient, PersonName, Sex

SHANGHAI = ZoneInfo("Asia/Shanghai")
OBSERVED_AT = dt.datetime(2026, 3, 1, 9, 30, 5, tzinfo=SHANGHAI)
PATIENT = Patient((Identifier(authority_system("CHC03"), "000123"),), PersonName("王弢"), dt.date(1960, 5, 3), Sex.MALE)


def origin(hint: PatientHint | None = None, charset: str = "") -> Origin:
    """As if uploaded at the community centre CHC03."""
    source = Source(1, "CHC03", "CHC03", "CHC03", charset=charset)
    return Origin(source, Channel.UPLOAD, dt.datetime(2026, 3, 1, 2, tzinfo=dt.UTC), hint=hint)


@cache
def examination(confirmed_by: str = "", patient_id: str = "000123", name: str = "王弢") -> Examination:
    """An anterior infarction in front of a cart."""
    signal = generate(Pattern(rate=88, st_elevation_mv=0.3), seed=3)
    said = statements(signal.pattern, signal.measurements)
    return Examination(
        patient_id,
        name,
        "Wang^Tao",
        dt.date(1960, 5, 3),
        Sex.MALE,
        OBSERVED_AT,
        signal,
        said,
        confirmed_by=confirmed_by,
        institution="CHC03",
    )


def read(reader: Callable[[BinaryIO, Origin], Reading], content: bytes, source: Origin | None = None) -> Reading:
    """What a reader finds in `content`."""
    return reader(io.BytesIO(content), source or origin())


def dataset(content: bytes) -> pydicom.Dataset:
    """The data set of a Part 10 file."""
    return pydicom.dcmread(io.BytesIO(content))
