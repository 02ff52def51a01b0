"""Annotated ECGs: encodings that lie, XML that attacks, files that leave things out."""

import http.server
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from stdnum.cn import ric

from adapters.ecg import aecg
from hub.demo import ecg_files
from schemas.delivery import PatientHint
from schemas.faults import Conflict, Fault, InvalidPayload, UnsupportedPayload
from schemas.identifiers import RESIDENT_ID, Identifier, authority_system
from tests.adapters.ecg.examples import PATIENT, examination, origin, read

DOCUMENT = ecg_files.xml(examination()).decode("utf-8")
BODY = DOCUMENT.split("?>", 1)[1]


@pytest.mark.parametrize(
    ("declared", "codec", "repaired"),
    [
        ("UTF-8", "utf-8", False),
        ("UTF-8", "utf-8-sig", False),
        ("GB2312", "gb18030", False),
        ("GBK", "gb18030", False),
        ("gb18030", "gb18030", False),
        ("UTF-16", "utf-16", False),
        ("UTF-8", "gb18030", True),
        ("GB2312", "utf-8", True),
    ],
)
def test_chinese_arrives_intact_whatever_the_file_says_of_its_encoding(
    declared: str, codec: str, repaired: bool
) -> None:
    content = f'<?xml version="1.0" encoding="{declared}"?>{BODY}'.encode(codec)
    assert aecg.looks_like(content[:4096])
    report = read(aecg.read, content).reports[0]
    assert report.patient.name.text == "王弢"
    assert "前壁导联ST段抬高" in report.conclusion
    assert ("charset-repaired" in report.flags) == repaired


def test_what_is_known_of_a_source_outweighs_its_declaration() -> None:
    content = f'<?xml version="1.0" encoding="ISO-8859-1"?>{BODY}'.encode("gb18030")
    assert read(aecg.read, content, origin(charset="gb18030")).reports[0].patient.name.text == "王弢"


def test_unknown_encoding_is_refused() -> None:
    with pytest.raises(UnsupportedPayload):
        read(aecg.read, f'<?xml version="1.0" encoding="ebcdic-cp-us"?>{BODY}'.encode())


def hostile(declaration: str) -> bytes:
    return ("<?xml version='1.0'?>" + declaration + BODY.replace("王弢", "&x;")).encode()


def test_external_entity_neither_reads_a_file_nor_opens_an_address(tmp_path: Path) -> None:
    asked: list[str] = []

    class Listening(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    secret = tmp_path / "secret"
    secret.write_text("kept", encoding="utf-8")
    with http.server.HTTPServer(("127.0.0.1", 0), Listening) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            for address in (secret.as_uri(), f"http://127.0.0.1:{server.server_port}/x"):
                for declaration in (
                    f'<!DOCTYPE AnnotatedECG [<!ENTITY x SYSTEM "{address}">]>',
                    f'<!DOCTYPE AnnotatedECG SYSTEM "{address}">',
                    f'<!DOCTYPE AnnotatedECG [<!ENTITY % p SYSTEM "{address}"> %p;]>',
                ):
                    with pytest.raises(InvalidPayload) as caught:
                        read(aecg.read, hostile(declaration))
                    assert "kept" not in str(caught.value)
        finally:
            server.shutdown()
            thread.join()
    assert asked == []


def test_entity_bomb_is_refused_before_it_grows() -> None:
    lines = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(InvalidPayload):
        read(aecg.read, hostile(f'<!DOCTYPE AnnotatedECG [<!ENTITY x0 "ha">{lines}<!ENTITY x "&x9;">]>'))


def test_deep_nesting_is_refused() -> None:
    depth = 200_000
    content = b"<AnnotatedECG>" + b"<a>" * depth + b"</a>" * depth + b"</AnnotatedECG>"
    with pytest.raises(InvalidPayload) as caught:
        read(aecg.read, content)
    assert "levels" in caught.value.text


def test_file_beyond_any_recording_is_refused_by_its_size() -> None:
    with pytest.raises(InvalidPayload) as caught:
        read(aecg.read, b"<AnnotatedECG>" + b" " * (8 * 1024 * 1024))
    assert "at most" in caught.value.text


@pytest.mark.parametrize(
    ("place", "filling"),
    [
        ("<AnnotatedECG ", "<AnnotatedECG " + " ".join(f'a{n}="x"' for n in range(400_000)) + " "),
        ("<digits>", "<digits>" + "1 " * 300_000),
        ("<annotationSet>", "<annotationSet>" + "<component><annotation/></component>" * 100_000),
    ],
    ids=["attributes", "digits", "annotations"],
)
def test_file_made_to_keep_the_hub_busy_is_refused_at_once(place: str, filling: str) -> None:
    begun = time.monotonic()
    with pytest.raises(Fault):
        read(aecg.read, DOCUMENT.replace(place, filling).encode())
    assert time.monotonic() - begun < 2


def test_resident_number_as_subject_is_also_kept_as_what_it_is() -> None:
    number = "99010119600503123"
    number += ric.calc_check_digit(number + "0")
    report = read(aecg.read, ecg_files.xml(examination(patient_id=number))).reports[0]
    assert report.patient.key == Identifier(authority_system("CHC03"), number)
    assert report.patient.identifiers[1:] == (Identifier(RESIDENT_ID, number),)


def test_file_without_a_patient_needs_an_upload_that_names_one() -> None:
    anonymous = DOCUMENT.replace('extension="000123"', "").replace("<id root=", "<nothing root=")
    with pytest.raises(InvalidPayload) as caught:
        read(aecg.read, anonymous.encode())
    assert caught.value.text == "patient identifier missing"
    reading = read(aecg.read, anonymous.encode(), origin(PatientHint(PATIENT)))
    assert reading.reports[0].patient == PATIENT
    # Without the document's own id, the key is made of time, patient and content.
    assert reading.reports[0].key.startswith("2026-03-01 09:30:05+08:00|000123|")


@pytest.mark.parametrize("said", ["000124", "王芳", "1960-05-04", "female"])
def test_upload_that_contradicts_the_file_is_a_conflict_for_a_person(said: str) -> None:
    changes: dict[str, tuple[str, str]] = {
        "000124": ('extension="000123"', 'extension="000124"'),
        "王芳": ("王弢", "王芳"),
        "1960-05-04": ("19600503", "19600504"),
        "female": ('code="M"', 'code="F"'),
    }
    content = DOCUMENT.replace(*changes[said]).encode()
    with pytest.raises(Conflict) as caught:
        read(aecg.read, content, origin(PatientHint(PATIENT)))
    assert said not in str(caught.value)


def test_pinyin_in_the_file_does_not_contradict_a_chinese_name_at_the_upload() -> None:
    content = DOCUMENT.replace("王弢", "WANG TAO").encode()
    assert read(aecg.read, content, origin(PatientHint(PATIENT))).reports[0].patient.name.text == "王弢"


def test_key_is_the_documents_own_identity() -> None:
    assert read(aecg.read, DOCUMENT.encode()).reports[0].key == examination().uid("document")


def test_scale_origin_and_unit_make_the_voltage() -> None:
    content = DOCUMENT.replace('<scale value="1" unit="uV"', '<scale value="0.005" unit="mV"')
    content = content.replace('<origin value="0" unit="uV"', '<origin value="100" unit="uV"')
    recording = read(aecg.read, content.encode()).recordings[0][1]
    assert np.array_equal(recording.samples_uv, examination().signal.recording.samples_uv * 5 + 100)


def test_every_part_is_accounted_for() -> None:
    content = DOCUMENT.replace('MDC_ECG_TIME_PD_QT"', 'CART_PRIVATE"').encode()
    accounting = read(aecg.read, content).accounting
    assert accounting.total == accounting.mapped + accounting.kept + accounting.flagged
    assert any("CART_PRIVATE" in note for note in accounting.notes)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('<increment value="0.002"', '<increment value="0"', "increment"),
        ('<increment value="0.002"', '<increment value="words"', "increment"),
        ('<scale value="1"', '<scale value="0"', "MDC_ECG_LEAD_I"),
        ("<digits>", "<digits>one ", "digits"),
        ('<scale value="1"', '<scale value="1e300"', "MDC_ECG_LEAD_I"),
        ("</AnnotatedECG>", "", "line"),
    ],
)
def test_damage_is_refused_at_its_place(old: str, new: str, where: str) -> None:
    assert old in DOCUMENT
    with pytest.raises(InvalidPayload) as caught:
        read(aecg.read, DOCUMENT.replace(old, new).encode())
    assert where in caught.value.where
