"""Whatever a file has become on its way, the reader ends soon, with a reading or with a Fault."""

import contextlib
import io
import re
import time
from collections.abc import Callable

import pydicom
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.ecg import aecg, scp_ecg
from adapters.ecg.dicom_waveform import read_waveform
from hub.demo import ecg_files
from schemas.faults import Fault
from tests.adapters.ecg.examples import PATIENT, examination, origin, read
from tests.adapters.ecg.test_scp_ecg import resealed

SCP = ecg_files.record(examination())
AECG = ecg_files.xml(examination())
DICOM = ecg_files.part10(examination())
TEXT = AECG.decode()
PLACES = [match.end() for match in re.finditer('value="', TEXT)]
LIMIT_S = 2.0

# Where a mutation hits: usually the head, where the structure is, sometimes anywhere.
POSITIONS = st.one_of(st.integers(0, 3000), st.integers(0, 200_000))
MUTATIONS = st.lists(st.tuples(POSITIONS, st.binary(min_size=1, max_size=8)), min_size=1, max_size=6)
BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def mutated(content: bytes, mutations: list[tuple[int, bytes]]) -> bytes:
    changed = bytearray(content)
    for at, value in mutations:
        at %= len(changed)
        changed[at : at + len(value)] = value
    return bytes(changed)


def ends_well(reading: Callable[[], object]) -> None:
    begun = time.monotonic()
    with contextlib.suppress(Fault):
        reading()
    assert time.monotonic() - begun < LIMIT_S


@BOUNDED
@given(MUTATIONS)
def test_mutated_scp_record_with_right_checksums(mutations: list[tuple[int, bytes]]) -> None:
    def change(bodies: dict[int, bytearray]) -> None:
        numbers = sorted(bodies)
        for at, value in mutations:
            body = bodies[numbers[at % len(numbers)]]
            begin = (at // len(numbers)) % len(body)
            body[begin : begin + len(value)] = value

    ends_well(lambda: read(scp_ecg.read, resealed(SCP, change)))


@BOUNDED
@given(MUTATIONS)
def test_mutated_scp_record(mutations: list[tuple[int, bytes]]) -> None:
    ends_well(lambda: read(scp_ecg.read, mutated(SCP, mutations)))


@BOUNDED
@given(MUTATIONS)
def test_mutated_annotated_ecg(mutations: list[tuple[int, bytes]]) -> None:
    ends_well(lambda: read(aecg.read, mutated(AECG, mutations)))


@BOUNDED
@given(st.sampled_from(PLACES), st.sampled_from(["9" * 400, "-1", "", "NaN", "1e999", "\u202e", "&#0;", "\0"]))
def test_annotated_ecg_with_a_number_gone_wrong(at: int, value: str) -> None:
    changed = TEXT[:at] + value + TEXT[TEXT.index('"', at) :]
    ends_well(lambda: read(aecg.read, changed.encode()))


@BOUNDED
@given(MUTATIONS)
@example([(357, b"S\x01")])  # the SOP class itself under a value representation that it does not fit
@example([(356, b"A")])  # and under one that does not exist
@pytest.mark.filterwarnings("ignore")  # pydicom warns of what it can read all the same
def test_mutated_waveform_object(mutations: list[tuple[int, bytes]]) -> None:
    try:
        dataset = pydicom.dcmread(io.BytesIO(mutated(DICOM, mutations)), force=True)
    except Exception:  # noqa: BLE001 - what pydicom cannot open never reaches this reader
        return
    ends_well(lambda: read_waveform(dataset, PATIENT, origin()))


@BOUNDED
@given(st.binary(max_size=300))
def test_garbage(content: bytes) -> None:
    for reader in (aecg.read, scp_ecg.read):
        with pytest.raises(Fault):
            read(reader, content)
