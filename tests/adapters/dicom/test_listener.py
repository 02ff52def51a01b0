"""The listener's own manners: limits, abuse, faults of ours, stopping. Custody is played by the test."""

import datetime as dt
import os
import shutil
import socket
import struct
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association

from adapters.dicom.store_scp import StoreScp
from schemas.delivery import Claim, DeliverTogether, Delivery, Origin, Receipt, State
from schemas.faults import Busy, Fault, Forbidden
from schemas.organization import Source
from tests.imaging import ct, part10, store, written

VERIFICATION = "1.2.840.10008.1.1"


def identify(claim: Claim) -> Origin:
    if claim.name == "LOCKED":
        raise Busy("the database is locked")
    if claim.name != "CHC01":
        raise Forbidden("this sender is not registered")
    return Origin(Source(1, "CHC01", "CHC01", "CHC01"), claim.channel, dt.datetime.now(dt.UTC), claim.address)


def receipt(digest: str = "") -> Receipt:
    return Receipt(1, digest, State.INDEXED, dt.datetime.now(dt.UTC))


def one_by_one(deliver: Callable[[Delivery], Receipt]) -> DeliverTogether:
    """Takes several as a hub does: what befalls one is its own outcome."""

    def attempt(delivery: Delivery) -> Receipt | Fault:
        try:
            return deliver(delivery)
        except Fault as fault:
            return fault

    return lambda deliveries: [attempt(each) for each in deliveries]


def take(delivery: Delivery) -> Receipt:
    while delivery.content.read(1 << 20):
        pass
    return receipt()


@contextmanager
def listening(deliver: Callable[[Delivery], Receipt] = take, **settings: object) -> Iterator[StoreScp]:
    together = one_by_one(deliver)
    listener = StoreScp("127.0.0.1", 0, deliver, identify, together=together, **settings)  # type: ignore[arg-type]
    listener.start()
    try:
        yield listener
    finally:
        listener.stop(2)


def echo(port: int, calling: str = "CHC01", called: str = "DXHUB") -> Association:
    ae = AE(calling)
    ae.add_requested_context(VERIFICATION)
    return ae.associate("127.0.0.1", port, ae_title=called)


def answers(port: int) -> bool:
    association = echo(port)
    status = association.send_c_echo() if association.is_established else Dataset()
    association.release()
    return bool("Status" in status and status.Status == 0)


def closed_by_peer(connection: socket.socket) -> bool:
    connection.settimeout(10)
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n",
        b"\x0bMSH|^~\\&|LIS|CHC01\r\x1c\r",
        b"\x01\x00\xff\xff\xff\xff" + b"A" * 200,
        b"\x04\x00\x00\x00\x00\x06" + struct.pack(">LBB", 2, 1, 3),
        bytes(4096),
    ],
    ids=["http", "hl7", "four-gigabyte-pdu", "data-before-association", "zeros"],
)
def test_garbage_closes_its_own_connection_and_no_other(garbage: bytes) -> None:
    with listening() as listener:
        with socket.create_connection(("127.0.0.1", listener.port)) as connection:
            connection.sendall(garbage)
            assert closed_by_peer(connection)
        assert answers(listener.port)


def test_half_an_association_is_given_up_and_others_are_served_meanwhile() -> None:
    with listening(timeout_s=1) as listener, socket.create_connection(("127.0.0.1", listener.port)) as connection:
        connection.sendall(b"\x01\x00\x00\x00\x01\x00half of a request")
        assert answers(listener.port)
        assert closed_by_peer(connection)


def test_called_title_matters_only_where_it_is_checked() -> None:
    with listening(ae_title="DXHUB") as listener:
        assert echo(listener.port, called="WRONG").is_established
    with listening(ae_title="DXHUB", check_called_ae_title=True) as listener:
        assert echo(listener.port, called="WRONG").is_rejected
        assert answers(listener.port)


def test_hub_that_cannot_look_callers_up_says_later_not_never() -> None:
    with listening() as listener:
        association = echo(listener.port, calling="LOCKED")
        assert association.is_rejected
        assert association.acceptor.primitive is not None
        assert association.acceptor.primitive.result == 0x02  # rejected-transient


def test_more_associations_than_allowed_are_turned_away() -> None:
    with listening(max_associations=2) as listener:
        held = [echo(listener.port) for _ in range(2)]
        assert all(association.is_established for association in held)
        assert not echo(listener.port).is_established
        held[0].release()
        deadline = time.monotonic() + 10
        while not answers(listener.port):
            assert time.monotonic() < deadline
        held[1].release()


def test_bug_of_ours_fails_one_request_and_the_association_goes_on(tmp_path: Path) -> None:
    faults = iter([RuntimeError("a bug"), Busy("the disk is full"), None])

    def deliver(_delivery: Delivery) -> Receipt:
        fault = next(faults)
        if fault:
            raise fault
        return receipt()

    path = written(tmp_path, part10(ct()))
    with listening(deliver) as listener:
        ae = AE("CHC01")
        ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
        association = ae.associate("127.0.0.1", listener.port)
        statuses = [association.send_c_store(path) for _ in range(3)]
        association.release()
    assert [status.Status for status in statuses] == [0x0110, 0xA700, 0x0000]
    assert statuses[1].ErrorComment == "the disk is full"
    assert "bug" not in str(statuses[0].get("ErrorComment"))


def test_stopping_waits_for_the_answer_to_what_is_in_custody(tmp_path: Path) -> None:
    begun, finish = threading.Event(), threading.Event()

    def deliver(delivery: Delivery) -> Receipt:
        begun.set()
        assert finish.wait(10)
        return take(delivery)

    path = written(tmp_path, part10(ct()))
    status: list[int | None] = []
    with listening(deliver) as listener:
        sender = threading.Thread(target=lambda: status.append(store(listener.port, path)))
        sender.start()
        assert begun.wait(10)
        stopper = threading.Thread(target=listener.stop)
        stopper.start()
        while not refused(listener.port):
            time.sleep(0.001)
        finish.set()
        stopper.join(10)
        sender.join(10)
    assert status == [0x0000]


def refused(port: int) -> bool:
    """Whether nobody listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return True
    return False


def test_sender_that_vanishes_in_the_middle_is_heard_of_by_whoever_reads() -> None:
    begun, taken = threading.Event(), threading.Event()

    def deliver(delivery: Delivery) -> Receipt:
        begun.set()
        found = take(delivery)
        taken.set()
        return found

    with listening(deliver) as listener:
        association, connection, context = raw_association(listener.port)
        command = store_command(AffectedSOPInstanceUID="1.2.3.4")
        connection.sendall(p_data(context, 3, command_set(command)) + p_data(context, 0, b"\x08\x00half"))
        assert begun.wait(10)
        connection.shutdown(socket.SHUT_RDWR)
        association.abort()
        connection.close()
        assert answers(listener.port)
    assert not taken.is_set()


@pytest.mark.parametrize("missing", ["AffectedSOPInstanceUID", "AffectedSOPClassUID", "CommandField"])
def test_request_that_names_nothing_ends_in_an_abort_not_in_silence(
    missing: str,
) -> None:
    with listening() as listener:
        association, connection, context = raw_association(listener.port)
        command = store_command(AffectedSOPInstanceUID="1.2.3.4")
        delattr(command, missing)
        connection.sendall(p_data(context, 3, command_set(command)) + p_data(context, 2, b"\x08\x00\x05\x00CS\0\0"))
        association.join(10)
        assert association.is_aborted
        assert answers(listener.port)


def raw_association(port: int) -> tuple[Association, socket.socket, int]:
    """An association for CT images, its socket, and the number of its presentation context."""
    ae = AE("CHC01")
    ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    association = ae.associate("127.0.0.1", port)
    transport = association.dul.socket
    assert transport is not None
    assert transport.socket is not None
    return association, transport.socket, association.accepted_contexts[0].context_id or 0


def store_command(**more: str) -> Dataset:
    command = Dataset()
    command.AffectedSOPClassUID = CTImageStorage
    command.CommandField, command.MessageID, command.Priority, command.CommandDataSetType = 1, 1, 0, 1
    for keyword, value in more.items():
        setattr(command, keyword, value)
    return command


def command_set(command: Dataset) -> bytes:
    body = b""
    for element in command:
        value = element.value
        text = str(value).encode() if element.VR == "UI" else struct.pack("<L" if element.VR == "UL" else "<H", value)
        text += b"\0" * (len(text) % 2)
        body += struct.pack("<HHL", element.tag.group, element.tag.element, len(text)) + text
    return body


def p_data(context: int | None, control: int, fragment: bytes) -> bytes:
    pdv = struct.pack(">LBB", len(fragment) + 2, context, control) + fragment
    return b"\x04\x00" + struct.pack(">L", len(pdv)) + pdv


def test_large_instance_passes_through_without_standing_in_memory(tmp_path: Path) -> None:
    # dcmtk sends, so that what is measured is the receiver's memory alone.
    storescu = shutil.which("storescu", path="/usr/bin:/usr/local/bin") or pytest.skip("install the package dcmtk")
    size: list[int] = []

    def deliver(delivery: Delivery) -> Receipt:
        size.append(sum(len(piece) for piece in iter(lambda: delivery.content.read(1 << 16), b"")))
        return receipt()

    path = written(tmp_path, part10(ct(Rows=4096, Columns=4096, BitsAllocated=32, PixelData=bytes(64 << 20))))
    with listening(deliver) as listener:
        tracemalloc.start()
        try:
            command = [storescu, "-aet", "CHC01", "-xe", "127.0.0.1", str(listener.port), str(path)]
            subprocess.run(command, check=True, timeout=60, env={**os.environ, "TCP_NODELAY": "1"})
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert size[0] > 64 << 20
    assert peak < 16 << 20
