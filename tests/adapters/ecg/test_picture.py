"""A scan or a photograph of a tracing: a document, never samples; what would harm its reader is refused."""

import contextlib
import dataclasses
import io
import struct
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from adapters.ecg import picture
from adapters.registry import sniff
from schemas.delivery import Format, PatientHint
from schemas.faults import Fault, InvalidPayload
from tests.adapters.ecg.examples import OBSERVED_AT, PATIENT, origin, read

HINT = PatientHint(PATIENT, "ecg", "心电图照片", OBSERVED_AT)


def drawn(form: str, size: tuple[int, int] = (640, 480), mode: str = "RGB", **options: object) -> bytes:
    paper = Image.new(mode, size)
    ImageDraw.Draw(paper).line([(0, size[1] // 2), (size[0] // 2, 0), size], fill=1)
    target = io.BytesIO()
    paper.save(target, form, **options)
    return target.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


GOOD = {
    "png": drawn("PNG"),
    "jpeg": drawn("JPEG"),
    "progressive": drawn("JPEG", progressive=True),
    "grey": drawn("PNG", mode="L"),
    "one bit": drawn("PNG", mode="1"),
    "palette": drawn("PNG", mode="P"),
    "with alpha": drawn("PNG", mode="RGBA"),
    "a large scan": drawn("PNG", (9000, 6000), "1"),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_picture_is_a_report_without_a_waveform(name: str) -> None:
    reading = read(picture.read, GOOD[name], origin(HINT))
    (report,) = reading.reports
    assert sniff(GOOD[name][:4096]) is Format.PICTURE
    assert (report.category, report.status, report.flags) == ("ecg", "preliminary", ("no-waveform",))
    assert (report.patient, report.observed_at, report.observations) == (PATIENT, OBSERVED_AT, ())
    (attachment,) = report.attachments
    kind = "image/jpeg" if GOOD[name].startswith(b"\xff") else "image/png"
    assert (attachment.title, attachment.media_type) == ("心电图照片", kind)
    assert (reading.parts, reading.recordings) == ((GOOD[name],), ())


@pytest.mark.parametrize(
    ("hint", "missing"),
    [(None, "patient, category, time of the examination"), (dataclasses.replace(HINT, observed_at=None), "time of")],
)
def test_nobodys_picture_is_refused_with_what_is_missing(hint: PatientHint | None, missing: str) -> None:
    with pytest.raises(InvalidPayload, match="a picture cannot say whose it is") as caught:
        read(picture.read, GOOD["png"], origin(hint))
    assert missing in caught.value.text


BOMB = png(100, 100, zlib.compress(bytes(200_000_000), 9))
HOSTILE = {
    "grows a thousandfold": (BOMB, "unpacks to more than its size tells"),
    "a million rows": (png(1, 1_000_000, zlib.compress(bytes(2_000_000))), "at most 20000 dots a side"),
    "too many dots": (png(19_000, 19_000, b""), "100000000 in all"),
    "no dots": (png(0, 10, b""), "at most"),
    "huge JPEG": (GOOD["jpeg"].replace(struct.pack(">HH", 480, 640), struct.pack(">HH", 65_000, 65_000)), "damaged"),
    "cut PNG": (GOOD["png"][:-20], "cut short"),
    "cut JPEG": (GOOD["jpeg"][: len(GOOD["jpeg"]) // 2], "cut short"),
    "a flipped bit": (GOOD["png"].replace(b"IDAT", b"IDAU", 1), "cut short"),
    "nothing within": (b"\x89PNG\r\n\x1a\n", "cut short"),
    "only a beginning": (b"\xff\xd8\xff\xe0", "cut short"),
    "a page": (b"<svg onload=alert(1)>", "expected a PNG or a JPEG"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_is_refused_soon_and_in_little_memory(name: str) -> None:
    content, said = HOSTILE[name]
    begun = time.perf_counter()
    tracemalloc.start()
    with pytest.raises(InvalidPayload, match=said):
        read(picture.read, content, origin(HINT))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.perf_counter() - begun < 2
    assert peak < 20_000_000


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["png", "jpeg", "progressive", "palette"]), st.binary(min_size=1, max_size=8), st.randoms())
def test_whatever_is_changed_it_is_read_or_refused(name: str, patch: bytes, chance: object) -> None:
    content = bytearray(GOOD[name])
    at = chance.randrange(len(content))  # type: ignore[attr-defined]
    content[at : at + len(patch)] = patch
    with contextlib.suppress(Fault):
        read(picture.read, bytes(content), origin(HINT))
