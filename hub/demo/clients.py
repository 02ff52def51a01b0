"""What a sender or a clinician's program brings to the hub's sockets: MLLP, DICOM and HTTP, as a peer speaks them."""

import http.client
import json
import secrets
import socket
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.presentation import build_context

_TIMEOUT_S = 60
_START, _END = b"\x0b", b"\x1c\r"
REFUSED_ASSOCIATION = 0x10000


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """MSA-1, and what the hub said where it was not content."""

    code: str
    text: str


class Mllp:
    """One connection of a laboratory's system; a message goes out when the one before it was acknowledged."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), _TIMEOUT_S)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, message: bytes) -> Acknowledgement:
        """Raises ConnectionError where the hub hangs up without an answer."""
        self._socket.sendall(_START + message + _END)
        while _END not in self._rest:
            part = self._socket.recv(65536)
            if not part:
                raise ConnectionError("closed before the acknowledgement")
            self._rest += part
        answer, _, self._rest = self._rest.partition(_END)
        return _acknowledgement(answer.lstrip(_START).decode(errors="replace"))


def _acknowledgement(answer: str) -> Acknowledgement:
    segments = {line[:3]: line.split("|") for line in answer.split("\r") if line}
    verdict, error = segments.get("MSA", []), segments.get("ERR", [])
    code = verdict[1] if len(verdict) > 1 else ""
    # ERR-8 is meant for a person, ERR-7 says where; MSA-3 is the older place for both.
    said = [field for field in (*error[8:9], *error[7:8], *verdict[3:4]) if field]
    return Acknowledgement(code, ", ".join(said[:2]))


def store(host: str, port: int, calling: str, called: str, datasets: Iterable[Dataset]) -> Counter[int]:
    """Sends all over one association; how many were answered with which status (DICOM PS3.7 annex C)."""
    instances = list(datasets)
    offered = {(each.SOPClassUID, each.file_meta.TransferSyntaxUID) for each in instances}
    entity = AE(calling)
    entity.requested_contexts = [build_context(sop_class, syntax) for sop_class, syntax in sorted(offered)]
    association = entity.associate(host, port, ae_title=called)
    if not association.is_established:
        return Counter({REFUSED_ASSOCIATION: len(instances)})
    try:
        return Counter(int(association.send_c_store(each).get("Status", REFUSED_ASSOCIATION)) for each in instances)
    finally:
        association.release()


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, read to its end."""

    status: int
    media_type: str
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 whatever the hub wrote
        """The body as JSON; an empty object where there is none."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True, slots=True)
class Http:
    """A program that holds a bearer token."""

    host: str
    port: int
    token: str

    def get(self, path: str, accept: str = "application/json", **query: str) -> Answer:
        """Asks; `query` is encoded."""
        address = f"{path}?{urlencode(query)}" if query else path
        return self._request("GET", address, b"", {"Accept": accept})

    def post(self, path: str, body: bytes, media_type: str, accept: str = "application/json") -> Answer:
        """Sends a body as it is."""
        return self._request("POST", path, body, {"Content-Type": media_type, "Accept": accept})

    def post_json(self, path: str, document: dict[str, Any]) -> Answer:
        """Sends a JSON document."""
        return self.post(path, json.dumps(document).encode(), "application/json")

    def upload(self, path: str, files: dict[str, bytes], fields: dict[str, str]) -> Answer:
        """Sends files by name, and what is said beside them, as a form does (RFC 7578)."""
        boundary = secrets.token_hex(16)
        parts = [
            *(_part(f'form-data; name="{name}"', value.encode()) for name, value in fields.items()),
            *(_part(f'form-data; name="file"; filename="{name}"', content) for name, content in files.items()),
        ]
        return self.post(path, _joined(boundary, parts), f"multipart/form-data; boundary={boundary}")

    def stow(self, path: str, instances: list[bytes]) -> Answer:
        """Stores complete Part 10 files (DICOM PS3.18, 10.5)."""
        boundary = secrets.token_hex(16)
        parts = [b"Content-Type: application/dicom\r\n\r\n" + content for content in instances]
        media_type = f'multipart/related; type="application/dicom"; boundary={boundary}'
        return self.post(path, _joined(boundary, parts), media_type, "application/dicom+json")

    def _request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_TIMEOUT_S)
        try:
            connection.request(method, path, body or None, headers | {"Authorization": f"Bearer {self.token}"})
            response = connection.getresponse()
            return Answer(response.status, response.headers.get_content_type(), response.read())
        finally:
            connection.close()


def _part(disposition: str, content: bytes) -> bytes:
    return f"Content-Disposition: {disposition}\r\n\r\n".encode() + content


def _joined(boundary: str, parts: list[bytes]) -> bytes:
    mark = boundary.encode()
    return b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + mark + b"--\r\n"
