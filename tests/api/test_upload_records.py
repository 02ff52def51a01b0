"""A WFDB record, dropped as its two files: one delivery, as a zip of both."""

import asyncio
import io
import zipfile

import httpx
import numpy as np
from fastapi import FastAPI, Request

from adapters.ecg import wfdb
from hub.uploads import received
from tests.adapters.ecg.examples import origin, read
from tests.adapters.ecg.test_wfdb import PACKED, SOMEBODY, VALUES, record

FILES = {name: zipfile.ZipFile(io.BytesIO(record(16, PACKED[16], VALUES))).read(name) for name in ("r.hea", "r.dat")}


def uploaded(*names: str) -> list[tuple[str, bytes]]:
    """What the hub takes from a form with these files, and another that belongs to none."""
    app = FastAPI()
    taken: list[tuple[str, bytes]] = []

    @app.post("/")
    async def _take(request: Request) -> None:
        async with received(request, most_bytes=1 << 20) as form:
            taken.extend((each.name, each.content.read()) for each in form.files)

    async def send() -> None:
        parts = [("file", (name, FILES[name])) for name in names] + [("file", ("other.xml", b"<other/>"))]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
            assert (await client.post("/", files=parts)).status_code == 200

    asyncio.run(send())
    return taken


def test_header_and_signals_become_one_delivery_in_whatever_order_they_come() -> None:
    for names in (("r.hea", "r.dat"), ("r.dat", "r.hea")):
        (name, content), other = uploaded(*names)
        assert (name, other) == ("r.hea + r.dat", ("other.xml", b"<other/>"))
        recording = read(wfdb.read, content, origin(SOMEBODY)).recordings[0][1]
        assert np.array_equal(recording.samples_uv[0], np.array(VALUES[::2]) * 5)


def test_the_same_files_give_the_same_bytes() -> None:
    assert uploaded("r.hea", "r.dat") == uploaded("r.dat", "r.hea")


def test_one_half_alone_stays_what_it_is() -> None:
    assert uploaded("r.hea") == [("r.hea", FILES["r.hea"]), ("other.xml", b"<other/>")]
    assert uploaded("r.dat") == [("r.dat", FILES["r.dat"]), ("other.xml", b"<other/>")]
