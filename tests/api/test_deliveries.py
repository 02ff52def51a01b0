"""Uploading over a real socket: a receipt for every file, and an end to what never ends."""

import json
import socket
from typing import Any

import pytest

from hub import uploads
from schemas.fhir import bundle
from tests.api.served import MOST_MB, WANG, Served

GOOD = json.dumps(WANG | {"key": "U1", "values": {"718-7": "101"}}).encode()
BAD = b"this is not what it says"
PDF_HINT = {"identifier": "P9", "authority": "CHC01", "name": "张伟", "birth_date": "1970-01-02", "sex": "male"}


def send(hub: Served, *files: bytes, account: str = "technician", **fields: str) -> Any:  # noqa: ANN401 a response
    parts = [("file", (f"f{number}.bin", content)) for number, content in enumerate(files)]
    return hub.request("POST", "/deliveries", account, files=parts, data=fields)


def test_an_upload_is_indexed_when_its_receipt_is_given(fresh: Served) -> None:
    answer = send(fresh, GOOD)
    assert answer.status_code == 200, answer.text
    receipt = answer.json()["receipts"][0]
    assert (receipt["filename"], receipt["state"], receipt["category"]) == ("f0.bin", "indexed", None)
    assert fresh.found(f"DiagnosticReport/{receipt['reports'][0]}")["status"] == "final"


def test_the_same_bytes_twice_earn_the_same_receipt(fresh: Served) -> None:
    first, second = (send(fresh, GOOD).json()["receipts"][0] for _ in range(2))
    assert first == second


def test_one_bad_file_costs_no_other_its_receipt(fresh: Served) -> None:
    answer = send(fresh, GOOD, BAD, GOOD.replace(b"U1", b"U2"))
    receipts = answer.json()["receipts"]
    assert answer.status_code == 207
    assert [each["state"] for each in receipts] == ["indexed", "quarantined", "indexed"]
    assert (receipts[1]["category"], receipts[1]["where"]) == ("invalid", "byte 0")


def test_a_file_that_is_refused_alone_is_no_success_and_is_kept(fresh: Served) -> None:
    answer = send(fresh, BAD)
    receipt = answer.json()["receipts"][0]
    assert (answer.status_code, receipt["state"]) == (400, "quarantined")
    assert fresh.request("GET", f"/fhir/R4/Binary/delivery.{receipt['delivery']}").content == BAD


def test_several_files_of_which_none_was_taken_are_no_success(fresh: Served) -> None:
    assert send(fresh, BAD, b"nor is this").status_code == 400


def test_a_bare_body_is_one_file(fresh: Served) -> None:
    for media_type in ("application/octet-stream", "application/dicom", ""):
        headers = {"Content-Type": media_type} if media_type else {}
        answer = fresh.request("POST", "/deliveries", "technician", headers, content=GOOD)
        assert answer.status_code == 200, answer.text


def test_fields_say_whose_a_file_is_that_cannot_say_it(fresh: Served) -> None:
    answer = send(fresh, GOOD, **PDF_HINT, category="ecg", title="心电图", observed_at="2024-05-06T08:30:00")
    report = fresh.found(f"DiagnosticReport/{answer.json()['receipts'][0]['reports'][0]}?")
    patient = bundle.resources(fresh.found("Patient?identifier=urn:dxhub:authority:CHC01|P9"))[0]
    assert report["subject"]["reference"] == f"Patient/{patient['id']}"
    assert (patient["name"][0]["text"], patient["gender"], patient["birthDate"]) == ("张伟", "male", "1970-01-02")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"identifier": "P9"}, "identifier"),
        ({"name": "张伟"}, "identifier"),
        ({"identifier": "P9", "name": "张伟"}, "authority"),
        (PDF_HINT | {"birth_date": "1970"}, "birth_date"),
        (PDF_HINT | {"sex": "男"}, "sex"),
        (PDF_HINT | {"category": "poetry"}, "category"),
        (PDF_HINT | {"observed_at": "noon"}, "observed_at"),
        (PDF_HINT | {"shoe_size": "43"}, "shoe_size"),
    ],
)
def test_fields_that_do_not_say_it_are_refused(hub: Served, fields: dict[str, str], where: str) -> None:
    answer = send(hub, GOOD, **fields)
    assert (answer.status_code, answer.json()["where"]) == (400, where)
    assert "张伟" not in answer.text


@pytest.mark.parametrize(
    ("account", "status"), [("", 401), ("clinician", 403), ("quality", 403), ("admin", 403), ("auditor", 403)]
)
def test_only_who_may_upload_uploads(hub: Served, account: str, status: int) -> None:
    answer = send(hub, GOOD, account=account)
    assert (answer.status_code, answer.json()["category"]) == (status, "forbidden")


def test_an_upload_without_a_file_is_refused(hub: Served) -> None:
    fields = {name: (None, value) for name, value in PDF_HINT.items()}
    assert hub.request("POST", "/deliveries", "technician", files=fields).status_code == 400
    assert hub.request("POST", "/deliveries", "technician", content=b"").status_code == 400
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    assert hub.request("POST", "/deliveries", "technician", form, content=b"no form at all").status_code == 400
    assert hub.request("POST", "/deliveries", "technician", {"Content-Type": "multipart/form-data"}).status_code == 400


def test_a_file_larger_than_allowed_is_refused_and_the_others_are_taken(fresh: Served) -> None:
    answer = send(fresh, b"x" * (MOST_MB * 1_000_000 + 1), GOOD)
    assert answer.status_code == 207
    assert [each["category"] for each in answer.json()["receipts"]] == ["invalid", None]


def test_a_body_larger_than_allowed_is_refused(hub: Served) -> None:
    def endless() -> Any:  # noqa: ANN401 an iterator of bytes
        for _ in range(100):
            yield b"x" * 100_000

    answer = hub.request("POST", "/deliveries", "technician", content=endless())
    assert (answer.status_code, answer.json()["category"]) == (413, "invalid")


def raw(hub: Served, declared: int, body: bytes, *, hang_up: bool = False) -> bytes:
    """What a sender reads who declares one length and sends another."""
    head = (
        "POST /deliveries HTTP/1.1\r\nHost: hub\r\n"
        f"Authorization: {hub.authorization('technician')['Authorization']}\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {declared}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", hub.port), timeout=20) as sender:
        sender.sendall(head.encode() + body)
        if hang_up:
            return b""
        answer = b""
        while chunk := sender.recv(65536):
            answer += chunk
        return answer


def test_two_gigabytes_declared_in_a_small_upload_are_refused_at_once(fresh: Served) -> None:
    assert raw(fresh, 2_000_000_000, b"small").startswith(b"HTTP/1.1 413")
    assert send(fresh, GOOD).status_code == 200


def test_a_sender_that_falls_silent_is_told_so(fresh: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "IDLE_S", 0.2)
    assert raw(fresh, 1_000_000, b"small").startswith(b"HTTP/1.1 408")
    assert send(fresh, GOOD).status_code == 200


def test_a_form_without_its_end_is_no_form(fresh: Served) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    cut = part + GOOD + b"\r\n" + part + GOOD.replace(b"U1", b"U2")
    answer = fresh.request(
        "POST", "/deliveries", "technician", {"Content-Type": "multipart/form-data; boundary=x"}, content=cut
    )
    assert (answer.status_code, answer.json()["where"]) == (400, "body")
    assert fresh.found("DiagnosticReport?identifier=U1")["total"] == 0


def test_a_sender_that_hangs_up_leaves_nothing_half_visible(fresh: Served) -> None:
    raw(fresh, 1_000_000, GOOD, hang_up=True)
    assert send(fresh, GOOD.replace(b"U1", b"U3")).status_code == 200
    numbers = [fresh.found(f"DiagnosticReport?identifier={key}")["total"] for key in ("U1", "U3")]
    assert numbers == [0, 1]
