"""SCP-ECG records: checksums, cuts, compression, Chinese."""

import binascii
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from adapters.ecg import scp_ecg, scp_huffman
from hub.demo import ecg_files
from schemas.delivery import PatientHint
from schemas.faults import Fault, InvalidPayload, UnsupportedPayload
from tests.adapters.ecg.examples import PATIENT, examination, origin, read

RECORD = ecg_files.record(examination())


def resealed(record: bytes, change: Callable[[dict[int, bytearray]], None]) -> bytes:
    """The record with other sections and right checksums: what a cart with a fault of its own would send."""
    table = [struct.unpack_from("<HII", record, 22 + 10 * n) for n in range(12)]
    bodies = {n: bytearray(record[at - 1 + 16 : at - 1 + length]) for n, length, at in table if n and length}
    change(bodies)
    at, pointers, content = 7 + 16 + 120, struct.pack("<HII", 0, 136, 7), b""
    for number in range(1, 12):
        body = bytes(bodies.get(number, b""))
        length = 16 + len(body) if number in bodies else 0
        pointers += struct.pack("<HII", number, length, at if length else 0)
        if length:
            content += sealed(struct.pack("<HIBB6x", number, length, 20, 20) + body)
            at += length
    content = sealed(struct.pack("<HIBB6s", 0, 136, 20, 20, b"SCPECG") + pointers) + content
    return sealed(struct.pack("<I", 6 + len(content)) + content)


def sealed(content: bytes) -> bytes:
    return struct.pack("<H", binascii.crc_hqx(content, 0xFFFF)) + content


def test_record_put_together_again_reads_the_same() -> None:
    again = resealed(RECORD, lambda bodies: None)
    assert read(scp_ecg.read, again).reports[0].observations == read(scp_ecg.read, RECORD).reports[0].observations


def test_one_wrong_bit_anywhere_is_refused() -> None:
    for at in range(0, len(RECORD), 997):
        damaged = bytearray(RECORD)
        damaged[at] ^= 0x10
        with pytest.raises(InvalidPayload):
            read(scp_ecg.read, bytes(damaged))


def test_sample_cut_at_every_kilobyte_is_refused(samples: Path) -> None:
    record = (samples / "ecg/scp/same_ecg_Example.scp").read_bytes()
    for end in range(0, len(record), 1024):
        with pytest.raises(InvalidPayload):
            read(scp_ecg.read, record[:end])


def test_wrong_checksum_names_the_section_and_both_sums() -> None:
    damaged = bytearray(RECORD)
    damaged[-1] ^= 1
    whole = struct.pack("<H", binascii.crc_hqx(bytes(damaged[2:]), 0xFFFF))
    with pytest.raises(InvalidPayload) as caught:
        read(scp_ecg.read, whole + bytes(damaged[2:]))
    assert caught.value.where == "section 8"
    assert "checksum" in caught.value.text


def test_chinese_is_read_though_no_language_is_declared() -> None:
    def undeclared(bodies: dict[int, bytearray]) -> None:
        at = bodies[1].index(b"DX-12") + 8
        assert bodies[1][at] == 0x27
        bodies[1][at] = 0

    report = read(scp_ecg.read, resealed(RECORD, undeclared)).reports[0]
    assert report.patient.name.text == "王弢"
    assert report.conclusion.startswith("窦性心律\n前壁导联ST段抬高")


def test_record_without_an_identifier_needs_an_upload_that_names_one() -> None:
    record = ecg_files.record(examination(patient_id=""))
    with pytest.raises(InvalidPayload) as caught:
        read(scp_ecg.read, record)
    assert (caught.value.text, caught.value.where) == ("patient identifier missing", "section 1, tag 2")
    report = read(scp_ecg.read, record, origin(PatientHint(PATIENT))).reports[0]
    assert report.patient.key == PATIENT.key


def test_same_bytes_give_the_same_key_and_others_another() -> None:
    records = (RECORD, RECORD, ecg_files.record(examination(confirmed_by="王医师")))
    keys = {read(scp_ecg.read, record).reports[0].key for record in records}
    assert len(keys) == 2


@pytest.mark.parametrize("section", [1, 3, 6])
def test_record_without_what_makes_it_an_ecg_is_refused(section: int) -> None:
    with pytest.raises(InvalidPayload) as caught:
        read(scp_ecg.read, resealed(RECORD, lambda bodies: bodies.__delitem__(section)))
    assert f"section {section}" in caught.value.where


@pytest.mark.parametrize(("order", "rows"), [(1, [3, 1, -2]), (2, [3, 4, 2, -9])])
def test_differences_are_undone(order: int, rows: list[int]) -> None:
    def three_samples(bodies: dict[int, bytearray]) -> None:
        bodies[3] = bytearray(bytes([1, 0x0C]) + struct.pack("<IIB", 1, len(rows), 2) + b"\0")
        data = struct.pack(f"<{len(rows)}h", *rows)
        bodies[6] = bytearray(struct.pack("<HHBBH", 5000, 2000, order, 0, len(data)) + data)

    found = read(scp_ecg.read, resealed(RECORD, three_samples)).recordings[0][1].samples_uv
    expected = {1: [15, 20, 10], 2: [15, 20, 35, 5]}[order]
    assert found.tolist() == [expected]


def test_beats_that_the_cart_subtracted_are_put_back() -> None:
    def subtracted(bodies: dict[int, bytearray]) -> None:
        bodies[3] = bytearray(bytes([1, 0x0D]) + struct.pack("<IIB", 1, 10, 2) + b"\0")
        # A beat of four samples (8 ms), its fiducial the second; found at sample 5 of the rhythm, subtracted in 4..6.
        bodies[4] = bytearray(struct.pack("<HHH", 8, 2, 1) + struct.pack("<HIII", 0, 4, 5, 6))
        beat, rhythm = struct.pack("<4h", 10, 100, 20, 7), struct.pack("<10h", *[1] * 10)
        bodies[5] = bytearray(struct.pack("<HHBBH", 2000, 2000, 0, 0, 8) + beat)
        bodies[6] = bytearray(struct.pack("<HHBBH", 1000, 2000, 0, 0, 20) + rhythm)

    found = read(scp_ecg.read, resealed(RECORD, subtracted)).recordings[0][1].samples_uv
    assert found.tolist() == [[1, 1, 1, 21, 201, 41, 1, 1, 1, 1]]


def test_bimodal_compression_is_refused_as_what_it_is() -> None:
    def bimodal(bodies: dict[int, bytearray]) -> None:
        bodies[6][5] = 1

    with pytest.raises(UnsupportedPayload) as caught:
        read(scp_ecg.read, resealed(RECORD, bimodal))
    assert "bimodal" in caught.value.text


def test_record_that_declares_four_thousand_million_samples_is_refused_at_once() -> None:
    def endless(bodies: dict[int, bytearray]) -> None:
        struct.pack_into("<II", bodies[3], 2, 1, 2**32 - 1)

    with pytest.raises(Fault):
        read(scp_ecg.read, resealed(RECORD, endless))


def test_codes_of_the_presumed_table() -> None:
    # 0, +1, -1, +8, -8, then 200 in eight signed bits as -56, then 300 in sixteen.
    bits = "0" + "100" + "101" + "1111111100" + "1111111101" + "1111111110" + "11001000" + "1111111111" + f"{300:016b}"
    data = int(bits.ljust(72, "0"), 2).to_bytes(9, "big")
    values = scp_huffman.decode(data, 7, [scp_huffman.DEFAULT], "here")
    assert np.array_equal(values, [0, 1, -1, 8, -8, -56, 300])


def test_codes_that_only_switch_tables_end() -> None:
    switch, stay = struct.pack("<BBBhI", 1, 1, 0, 1, 0), struct.pack("<BBBhI", 1, 1, 1, 0, 1)
    tables = scp_huffman.tables(struct.pack("<HH", 1, 2) + switch + stay)
    with pytest.raises(InvalidPayload):
        scp_huffman.decode(bytes(4096), 10, tables, "here")
