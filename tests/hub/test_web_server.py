"""Over real sockets: bodies that the kernel sends from files, and headers that never end."""

import contextlib
import http.client
import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from hub import web_server, zero_copy
from hub.api.dicomweb.pieced import Pieced
from hub.web_server import WebServer
from storage.object_stream import FilePieces

HEAD, TAIL = b"--x\r\n\r\n", b"\r\n--x--\r\n"
SIZES = (0, 1, 70_000, 1 << 20, 5_000_001)


def pieces(folder: Path, sizes: tuple[int, ...]) -> Iterator[bytes | FilePieces]:
    for size in sizes:
        yield HEAD
        yield FilePieces((folder / str(size)).open("rb"), 0, None, 1 << 16)
        yield TAIL


def whole(folder: Path, sizes: tuple[int, ...]) -> bytes:
    return b"".join(HEAD + (folder / str(size)).read_bytes() + TAIL for size in sizes)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for size in SIZES:
        (folder / str(size)).write_bytes(random.Random(size).randbytes(size))
    return folder


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    app = FastAPI()

    @app.api_route("/chunked", methods=["GET", "HEAD"])
    def _chunked(times: int = 1) -> Pieced:
        return Pieced(pieces(folder, SIZES * times), "text/plain", {})

    @app.api_route("/known", methods=["GET", "HEAD"])
    def _known() -> Pieced:
        return Pieced(pieces(folder, SIZES), "text/plain", {"Content-Length": str(len(whole(folder, SIZES)))})

    @app.get("/cut")
    def _cut() -> Pieced:
        place = folder / "cut"
        place.write_bytes(bytes(8 << 20))
        piece = FilePieces(place.open("rb"), 0, None, 1 << 16)
        os.truncate(place, 1 << 20)
        return Pieced([piece], "text/plain", {"Content-Length": str(8 << 20)})

    server = WebServer(app, "127.0.0.1", 0)
    server.start()
    yield server.port
    server.stop()


@pytest.fixture
def client(port: int) -> Iterator[http.client.HTTPConnection]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        yield connection


@pytest.mark.parametrize("path", ["/chunked", "/known"])
def test_files_arrive_whole_one_answer_after_another(
    client: http.client.HTTPConnection, folder: Path, path: str
) -> None:
    for method in ("GET", "HEAD", "GET"):
        client.request(method, path)
        answer = client.getresponse()
        assert answer.status == 200
        assert answer.read() == (whole(folder, SIZES) if method == "GET" else b"")


def test_a_slow_reader_keeps_nobody_waiting(client: http.client.HTTPConnection, port: int, folder: Path) -> None:
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"GET /chunked?times=20 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.3)
        client.request("GET", "/known")
        assert client.getresponse().read() == whole(folder, SIZES)
        with slow.makefile("rb") as stream:
            answer = http.client.HTTPResponse(slow)
            answer.fp = stream
            answer.begin()
            assert answer.read() == whole(folder, SIZES * 20)


def test_a_reader_that_goes_away_costs_no_file(client: http.client.HTTPConnection, port: int, folder: Path) -> None:
    client.request("GET", "/known")
    client.getresponse().read()
    before = open_files()
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", port)) as gone:
            gone.sendall(b"GET /chunked?times=20 HTTP/1.1\r\nHost: x\r\n\r\n")
            gone.recv(1000)
    deadline = time.monotonic() + 10
    while open_files() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert open_files() <= before
    client.request("GET", "/known")
    assert client.getresponse().read() == whole(folder, SIZES)


def test_what_a_failing_disk_cut_short_is_no_whole_answer(client: http.client.HTTPConnection) -> None:
    client.request("GET", "/cut")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        client.getresponse().read()


@pytest.mark.parametrize("line", [b"X-More: %s\r\n", b"X-%s: more\r\n"])
def test_a_header_that_never_ends_is_refused(port: int, line: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as endless:
        endless.sendall(b"GET /known HTTP/1.1\r\nHost: x\r\n")
        threading.Thread(target=_pour, args=(endless, line % (b"a" * 1000)), daemon=True).start()
        said = b""
        with contextlib.suppress(ConnectionError):
            while more := endless.recv(1 << 16):
                said += more
    assert said.startswith(b"HTTP/1.1 400") or not said


def _pour(target: socket.socket, line: bytes) -> None:
    with contextlib.suppress(OSError):
        for _ in range(100_000):
            target.sendall(line)


def test_a_long_body_is_no_long_header(client: http.client.HTTPConnection, folder: Path) -> None:
    for _ in range(3):
        client.request("GET", "/known", body=bytes(200_000))
        assert client.getresponse().read() == whole(folder, SIZES)


def told(port: int, *pieces: bytes) -> bytes:
    """What is answered to these, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        answer = b""
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(1 << 16):
                answer += piece
        return answer


@pytest.mark.parametrize("what", [b"X-More: " + b"a" * 1000 + b"\r\n", b"a" * 1000])
def test_what_stands_behind_a_body_fills_no_memory(port: int, what: bytes) -> None:
    head = b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-First: "
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head)
        taken = 0
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                connection.sendall(what * 100)
                taken += len(what) * 100
    assert taken < 20 << 20, "what lies between the two, and no more"


def test_a_wrong_request_is_not_answered_within_the_answer_before_it(port: int, folder: Path) -> None:
    answer = told(port, b"GET /known HTTP/1.1\r\nHost: x\r\n\r\n", b"\0\0 garbage\r\n\r\n")
    assert b"HTTP/1.1 400" not in answer
    body = answer.partition(b"\r\n\r\n")[2]
    assert whole(folder, SIZES).startswith(body)


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: "])
def test_who_says_nothing_is_not_kept(port: int, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr(web_server, "_HEADER_WITHIN_S", 0.2)
    assert told(port, said) == b""


def test_who_takes_nothing_is_let_go_with_the_files(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zero_copy, "_STALLED_S", 0.5)
    before = open_files()
    with contextlib.ExitStack() as stack:
        for path in (b"/chunked?times=20", b"/known", b"/chunked?times=20"):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        deadline = time.monotonic() + 15
        while open_files() > before + 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert open_files() <= before + 3, "those of the clients here"
