"""Recordings to be written as DICOM: what the samples hold, and what no sample holds."""

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from adapters.registry import READERS, sniff
from hub.offering.sections import sections
from schemas.codes import LOINC, UCUM, Coding
from schemas.delivery import PatientHint
from schemas.ecg import LEADS, NO_SAMPLE_UV, EcgRecording, MedianBeat
from schemas.ecg_statements import statement
from schemas.faults import Fault
from schemas.observation import Observation, Quantity
from schemas.offered import Offered
from schemas.patient import Sex
from schemas.report import Overread, Report, ReportCategory, ReportRecord, ReportStatus
from tests.adapters.ecg.examples import OBSERVED_AT, PATIENT, origin

# Of whom nothing is known that a file could contradict.
SOMEBODY = replace(PATIENT, birth_date=None, sex=Sex.UNKNOWN)
NOISE = np.random.default_rng(5)


def contents(samples: Path) -> Iterator[tuple[str, bytes]]:
    """Every ECG file of the samples by its name, a WFDB record as one zip."""
    folder = samples / "ecg"
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        if path.suffix == ".hea":
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                for each in sorted(path.parent.glob(f"{path.stem}.*")):
                    archive.write(each, each.name)
            yield str(path.relative_to(folder)), packed.getvalue()
        elif path.suffix not in (".dat", ".mat", ".xyz"):
            yield str(path.relative_to(folder)), path.read_bytes()


def readable(samples: Path) -> Iterator[tuple[str, Report, EcgRecording]]:
    """What the samples hold that has a recording; as uploaded for somebody where a file says nobody."""
    for name, content in contents(samples):
        for hint in (None, PatientHint(SOMEBODY, ReportCategory.ECG, observed_at=OBSERVED_AT)):
            try:
                reading = READERS[sniff(content[:4096])](io.BytesIO(content), origin(hint))
            except Fault:
                continue
            if reading.recordings:
                yield name, reading.reports[0], reading.recordings[0][1]
            break


def invented() -> Iterator[tuple[str, Report, EcgRecording]]:
    """Recordings of shapes that no sample has."""
    voltages = NOISE.integers(-3000, 3000, (12, 5000)).astype(np.int32)
    whole = EcgRecording(LEADS, 500.0, voltages, OBSERVED_AT)
    yield "whole", report(), whole
    gap = voltages.copy()
    gap[3, 100:200] = NO_SAMPLE_UV
    gap[7, 4900:] = NO_SAMPLE_UV
    yield "gaps", report(), replace(whole, samples_uv=gap)
    in_turn = np.full_like(voltages, NO_SAMPLE_UV)
    for row in range(12):
        begin = row // 3 * 1250
        in_turn[row, begin : begin + 1250] = voltages[row, begin : begin + 1250]
    yield "one after the other", report(), replace(whole, samples_uv=in_turn)
    beat = MedianBeat(LEADS, 500.0, voltages[:, :600], (("p-onset", 80.0), ("qrs-onset", 240.0), ("t-offset", 700.0)))
    yield "with a median beat", report(), replace(whole, median=beat)
    yield "one after the other, with a median beat", report(), replace(whole, samples_uv=in_turn, median=beat)
    yield "slow", report(), EcgRecording(("I", "II"), 100.0, gap[2:4, :300])
    yield "a pacemaker's spikes", report(), replace(whole, samples_uv=voltages * 40)
    yield "an odd lead", report(), EcgRecording(("II", "CM5", "导联\\甲"), 250.0, voltages[:3, :777])
    yield (
        "nothing in a lead",
        report(),
        replace(whole, samples_uv=np.where(np.arange(12)[:, None] == 4, NO_SAMPLE_UV, voltages).astype(np.int32)),
    )
    confirmed = replace(
        report(),
        status=ReportStatus.FINAL,
        performers=("李四",),
        statements=tuple(each.coding for code in ("SR", "PVC") if (each := statement(code))),
        conclusion="窦性心律\n室性早搏\n请结合临床 \\ 复查。" + "很长" * 1000,
        overread=Overread("reader", "李四", "CENTRE", OBSERVED_AT + dt.timedelta(hours=1), 1),
    )
    yield "confirmed here", confirmed, whole


def report() -> Report:
    measured = (
        ("8867-4", "Heart rate", "72", "/min", ""),
        ("8636-3", "Q-T interval corrected", "412.5", "ms", "Bazett"),
    )
    return Report(
        key="ecg-1",
        category=ReportCategory.ECG,
        status=ReportStatus.PRELIMINARY,
        code=Coding("11524-6", "EKG study", LOINC),
        patient=PATIENT,
        organization="CHC03",
        observed_at=OBSERVED_AT,
        conclusion="窦性心律，𠮷",
        recording="ab" * 32,
        observations=tuple(
            Observation(
                Coding(code, name, LOINC), Quantity(Decimal(value), unit, unit_system=UCUM), unit=unit, method=method
            )
            for code, name, value, unit, method in measured
        ),
    )


def offered(told: Report, version: int = 1) -> Offered:
    """As the hub offers it."""
    record = ReportRecord(7, version, True, 1, "CHC03", OBSERVED_AT, OBSERVED_AT, 3, told)
    return Offered(record, "第三社区卫生服务中心", sections(told))
