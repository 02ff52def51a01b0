"""The listener over real sockets: what a sender's system meets, and what a hostile one does."""

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import hl7
import pytest
from hl7.client import MLLPClient, mllp_send

from adapters.hl7v2.connection import Limits
from adapters.hl7v2.frames import framed
from adapters.hl7v2.mllp import MllpListener
from schemas.delivery import Channel, Claim
from schemas.faults import Busy
from tests.adapters.hl7v2.fakes import Custody, listening
from tests.adapters.hl7v2.values import MSH, OBR, PID, message

OBX = "OBX|1|NM|2823-3^钾^LN||4.1|mmol/L|3.5-5.3|N|||F"


def numbered(number: int, facility: str = "CHC01") -> bytes:
    return message(MSH.replace("|M1|", f"|M{number}|").replace("CHC01", facility, 1), PID, OBR, OBX)


@pytest.fixture
def custody() -> Custody:
    return Custody()


@pytest.fixture(params=[False, True], ids=["each", "together"])
def server(custody: Custody, request: pytest.FixtureRequest) -> Iterator[MllpListener]:
    with listening(custody, together=request.param) as running:
        yield running


@contextlib.contextmanager
def connected(server: MllpListener) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        yield line


def answers(line: socket.socket, count: int) -> list[tuple[str, str]]:
    """MSA-1 and MSA-2 of the next acknowledgements."""
    content = b""
    while content.count(b"\x1c\r") < count:
        part = line.recv(65536)
        assert part, f"closed after {content!r}"
        content += part
    found = [hl7.parse(each.lstrip(b"\x0b").decode()) for each in content.split(b"\x1c\r")[:-1]]
    return [(str(each["MSA"][0][1]), str(each["MSA"][0][2]) if len(each["MSA"][0]) > 2 else "") for each in found]


def closed(line: socket.socket) -> bool:
    try:
        return line.recv(65536) == b""
    except ConnectionResetError:
        return True


def test_a_message_is_kept_byte_for_byte_and_acknowledged(server: MllpListener, custody: Custody) -> None:
    with connected(server) as line:
        line.sendall(framed(numbered(1)))
        assert answers(line, 1) == [("AA", "M1")]
    assert custody.kept == [numbered(1)]
    assert custody.claims == [Claim(Channel.MLLP, "CHC01", "127.0.0.1")]
    assert custody.deliveries[0].message_id == "M1"


def test_python_hl7_gets_its_acknowledgement(server: MllpListener) -> None:
    with MLLPClient("127.0.0.1", server.port) as client:
        for number in (1, 2):
            found = hl7.parse(client.send_message(numbered(number)).decode().strip("\x0b\x1c\r"))
            assert str(found["MSA"][0][1]) == "AA"


def test_mllp_send_delivers_the_chinese_blood_count(
    server: MllpListener,
    custody: Custody,
    samples: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    path = samples / "hl7" / "cn" / "01_cbc_utf8.hl7"
    monkeypatch.setattr(sys, "argv", ["mllp_send", "--loose", "--file", str(path), "-p", str(server.port), "127.0.0.1"])
    mllp_send()
    assert b"MSA|AA|MSG0001" in capsysbinary.readouterr().out
    assert "张三".encode() in custody.kept[0]


def test_recorded_streams_with_heartbeats_are_answered_message_by_message(
    server: MllpListener, custody: Custody, samples: Path
) -> None:
    with connected(server) as line:
        line.sendall((samples / "hl7" / "cn" / "10_mllp_with_heartbeats.mllp").read_bytes())
        assert answers(line, 2) == [("AA", "1"), ("AA", "1")]
        line.sendall((samples / "hl7" / "cn" / "09_final_corrected_cancelled.mllp").read_bytes())
        assert answers(line, 3) == [("AA", "MSG0009A"), ("AA", "MSG0009B"), ("AA", "MSG0009C")]
    assert len(custody.kept) == 5


def test_every_sample_gets_the_answer_of_its_kind(server: MllpListener, custody: Custody, samples: Path) -> None:
    told: dict[str, str] = {}
    with connected(server) as line:
        for path in sorted((samples / "hl7").rglob("*.hl7")):
            if path.parent.name == "reportstream" or "OUL" in path.name or "LRI" in path.name:
                continue  # batches and enhanced mode are tested apart
            content = path.read_bytes()
            line.sendall(framed(content))
            told[path.name] = answers(line, 1)[0][0]
            assert custody.kept[-1] == content
    refused = {name for name, code in told.items() if code in ("AR", "CR")}
    assert refused == {
        "06_mindray_qc_not_patient.hl7",
        "cv.04_001_chem.hl7",
    }
    assert {code for name, code in told.items() if name not in refused} <= {"AA", "CA"}


def test_the_same_bytes_again_earn_the_same_acknowledgement(server: MllpListener) -> None:
    with connected(server) as line:
        heard = []
        for _ in range(2):
            line.sendall(framed(numbered(1)))
            heard.append(line.recv(65536))
    assert heard[0] == heard[1]


def test_split_and_joined_packets(server: MllpListener, custody: Custody) -> None:
    stream = b"".join(framed(numbered(number)) for number in range(4))
    with connected(server) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(stream), 97):
            line.sendall(stream[at : at + 97])
        assert answers(line, 4) == [("AA", f"M{number}") for number in range(4)]
        line.sendall(stream)
        assert answers(line, 4) == [("AA", f"M{number}") for number in range(4)]
    assert custody.kept == [numbered(number) for number in range(4)] * 2


def test_an_end_block_without_carriage_return_is_answered_at_once(server: MllpListener) -> None:
    with connected(server) as line:
        line.sendall(b"\x0b" + numbered(1) + b"\x1c")
        assert answers(line, 1) == [("AA", "M1")]
        line.sendall(b"\r" + framed(numbered(2)))
        assert answers(line, 1) == [("AA", "M2")]


def test_empty_frames_and_noise_are_not_answered(server: MllpListener, custody: Custody) -> None:
    with connected(server) as line:
        line.sendall(b"\x00\x02\x10\r\n" + framed(b"") + framed(b"\r\n") + framed(numbered(1)))
        assert answers(line, 1) == [("AA", "M1")]
    assert len(custody.kept) == 1


def test_an_unknown_sender_is_rejected_and_nothing_is_kept(server: MllpListener, custody: Custody) -> None:
    with connected(server) as line:
        line.sendall(framed(numbered(1, facility="STRANGER")))
        assert answers(line, 1) == [("AR", "M1")]
        line.sendall(framed(numbered(2)))
        assert answers(line, 1) == [("AA", "M2")]
    assert custody.kept == [numbered(2)]


def test_what_cannot_be_read_is_kept_and_refused_and_the_line_goes_on(server: MllpListener, custody: Custody) -> None:
    garbage = b"\xff\xfe\x00 not a message"
    with connected(server) as line:
        line.sendall(framed(garbage))
        assert answers(line, 1) == [("AE", "")]
        line.sendall(framed(numbered(2).replace(b"ORU^R01", b"ORU^Z99")))
        assert answers(line, 1) == [("AR", "M2")]
        line.sendall(framed(numbered(3)))
        assert answers(line, 1) == [("AA", "M3")]
    assert custody.kept[0] == garbage


def test_one_bad_message_does_not_sink_its_batch(server: MllpListener, custody: Custody) -> None:
    bad = numbered(2).replace(b"P1^^^CHC01^MR", b"")
    batch = b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + numbered(1) + bad + numbered(3) + b"BTS|3\rFTS|1\r"
    with connected(server) as line:
        line.sendall(framed(batch))
        assert answers(line, 3) == [("AA", "M1"), ("AE", "M2"), ("AA", "M3")]
    assert b"".join(custody.kept) == batch


def test_a_sender_in_enhanced_mode_gets_what_it_asked_for(server: MllpListener) -> None:
    with connected(server) as line:
        for conditions, expected in (("AL|NE", ["CA"]), ("AL|AL", ["CA", "AA"])):
            line.sendall(framed(numbered(1).replace(b"|P|2.5.1||||", f"|P|2.5.1|||{conditions}|".encode())))
            assert [code for code, _ in answers(line, len(expected))] == expected
        line.sendall(framed(numbered(1).replace(b"|P|2.5.1||||", b"|P|2.5.1|||NE|NE|")) + framed(numbered(2)))
        assert answers(line, 1) == [("AA", "M2")]


@pytest.mark.parametrize(
    ("conditions", "taken", "refused"),
    [
        ("AL|AL", ["CA", "AA"], ["CE", "AE"]),
        ("ER|ER", [], ["CE", "AE"]),
        ("SU|SU", ["CA", "AA"], []),
        ("NE|AL", ["AA"], ["AE"]),
        ("ER|SU", ["AA"], ["CE"]),
        ("NE|NE", [], []),
    ],
)
def test_each_condition_of_table_0155_is_honoured_for_what_is_taken_and_what_is_refused(
    server: MllpListener, conditions: str, taken: list[str], refused: list[str]
) -> None:
    good = numbered(1).replace(b"|P|2.5.1||||", f"|P|2.5.1|||{conditions}|".encode())
    with connected(server) as line:
        # The plain message behind each tells where the answers to it end.
        line.sendall(framed(good) + framed(numbered(2)))
        assert [code for code, _ in answers(line, len(taken) + 1)] == [*taken, "AA"]
        line.sendall(framed(good.replace(b"P1^^^CHC01^MR", b"")) + framed(numbered(2)))
        assert [code for code, _ in answers(line, len(refused) + 1)] == [*refused, "AA"]


def test_a_message_id_used_again_for_other_content_is_judged_by_its_content(
    server: MllpListener, custody: Custody
) -> None:
    other = numbered(1).replace(b"||4.1|", b"||5.9|")
    broken = numbered(1).replace(b"P1^^^CHC01^MR", b"")
    with connected(server) as line:
        line.sendall(framed(numbered(1)) + framed(other) + framed(broken))
        assert answers(line, 3) == [("AA", "M1"), ("AA", "M1"), ("AE", "M1")]
    assert custody.kept == [numbered(1), other, broken]


def test_a_custody_that_is_busy_or_breaks_costs_no_connection_and_tells_no_log(
    server: MllpListener, custody: Custody, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: bytes) -> None:
        raise Busy("the store is full")

    def break_down(_: bytes) -> None:
        raise RuntimeError("王芳")

    with connected(server) as line:
        for trouble in (refuse, break_down):
            custody.before = trouble
            line.sendall(framed(numbered(1)))
            assert answers(line, 1) == [("AR", "M1")]
        custody.before = lambda content: None
        line.sendall(framed(numbered(1)))
        assert answers(line, 1) == [("AA", "M1")]
    logged = capsys.readouterr().out
    assert "RuntimeError" in logged
    assert "test_mllp.py" in logged
    assert "王芳" not in logged


def test_connections_do_not_wait_for_one_another_s_custody(custody: Custody) -> None:
    slow, may_go_on = threading.Event(), threading.Event()

    def dawdle(content: bytes) -> None:
        if b"|M1|" in content:
            slow.set()
            assert may_go_on.wait(10)

    custody.before = dawdle
    with listening(custody) as server, connected(server) as one, connected(server) as other:
        one.sendall(framed(numbered(1)))
        assert slow.wait(10)
        other.sendall(framed(numbered(2)))
        assert answers(other, 1) == [("AA", "M2")]
        may_go_on.set()
        assert answers(one, 1) == [("AA", "M1")]


def test_short_messages_do_not_wait_for_a_large_one(custody: Custody) -> None:
    slow, may_go_on = threading.Event(), threading.Event()

    def dawdle(content: bytes) -> None:
        if len(content) > 1 << 20:
            slow.set()
            assert may_go_on.wait(10)

    custody.before = dawdle
    large = numbered(1) + b"NTE|1||" + b"A" * (1 << 20) + b"\r"
    with listening(custody, together=True) as server, connected(server) as one, connected(server) as other:
        one.sendall(framed(large))
        assert slow.wait(10)
        other.sendall(framed(numbered(2)))
        assert answers(other, 1) == [("AA", "M2")]
        may_go_on.set()
        assert answers(one, 1) == [("AA", "M1")]
    assert custody.kept == [numbered(2), large]


def test_many_connections_at_once_are_each_answered_in_their_order(server: MllpListener, custody: Custody) -> None:
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(connected(server)) for _ in range(20)]
        for first, line in enumerate(lines):
            line.sendall(b"".join(framed(numbered(first * 100 + number)) for number in range(5)))
        for first, line in enumerate(lines):
            assert answers(line, 5) == [("AA", f"M{first * 100 + number}") for number in range(5)]
    assert len(set(custody.kept)) == 100


def test_what_was_sent_before_the_peer_stopped_sending_is_answered(server: MllpListener, custody: Custody) -> None:
    with connected(server) as line:
        line.sendall(framed(numbered(1)) + framed(numbered(2))[:-1])
        line.shutdown(socket.SHUT_WR)
        assert answers(line, 2) == [("AA", "M1"), ("AA", "M2")]
        assert closed(line)
    assert custody.kept == [numbered(1), numbered(2)]


def test_a_peer_that_takes_no_answers_is_let_go(custody: Custody) -> None:
    with listening(custody, Limits(send_timeout_s=0.3), together=True) as server, connected(server) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(5)
        # The acknowledgement repeats the control id.
        frames = b"".join(framed(numbered(number).replace(b"|M", b"|M" + b"9" * 5000)) for number in range(100))
        with pytest.raises(OSError, match=r"reset|Broken pipe"):  # noqa: PT012
            while True:
                line.sendall(frames)
    with listening(custody) as server, connected(server) as line:
        line.sendall(framed(numbered(1)))
        assert answers(line, 1) == [("AA", "M1")]


def test_a_frame_beyond_the_limit_is_refused_and_the_line_closed(custody: Custody) -> None:
    with listening(custody, Limits(max_bytes=10_000)) as server, connected(server) as line:
        line.sendall(b"\x0b" + numbered(1) + b"A" * 20_000)
        assert answers(line, 1) == [("AR", "M1")]
        assert closed(line)
    assert custody.kept == []


def test_a_frame_that_never_ends_is_refused_and_the_line_closed(custody: Custody) -> None:
    with listening(custody, Limits(frame_timeout_s=0.2)) as server, connected(server) as line:
        line.sendall(b"\x0b" + numbered(1))
        assert answers(line, 1) == [("AR", "M1")]
        assert closed(line)


def test_a_frame_that_drips_does_not_outlive_its_time(custody: Custody) -> None:
    with listening(custody, Limits(frame_timeout_s=0.3)) as server, connected(server) as line:
        line.sendall(b"\x0bMSH|^~\\&|")
        stopped = threading.Event()

        def drip() -> None:
            with contextlib.suppress(OSError):
                while not stopped.wait(0.02):
                    line.sendall(b"A")

        dripping = threading.Thread(target=drip)
        dripping.start()
        assert answers(line, 1) == [("AR", "")]
        stopped.set()
        dripping.join()


def test_an_idle_connection_is_closed_in_the_end(custody: Custody) -> None:
    with listening(custody, Limits(idle_timeout_s=0.1)) as server, connected(server) as line:
        assert closed(line)


def test_a_connection_that_only_holds_its_place_gives_it_up_to_one_that_comes_to_send(custody: Custody) -> None:
    with listening(custody, Limits(max_connections=1)) as server, connected(server) as first:
        first.sendall(framed(numbered(1)))
        assert answers(first, 1) == [("AA", "M1")]
        with connected(server) as second:
            second.sendall(framed(numbered(2)))
            assert answers(second, 1) == [("AA", "M2")]
        assert closed(first)


def test_more_connections_at_work_than_allowed_are_turned_away(custody: Custody) -> None:
    with listening(custody, Limits(max_connections=1)) as server, connected(server) as first:
        at_work, may_go_on = threading.Event(), threading.Event()

        def dawdle(_: bytes) -> None:
            at_work.set()
            assert may_go_on.wait(10)

        custody.before = dawdle
        first.sendall(framed(numbered(1)))
        assert at_work.wait(10)
        with connected(server) as second:
            assert closed(second)
        may_go_on.set()
        assert answers(first, 1) == [("AA", "M1")]


def test_a_peer_that_vanishes_harms_nobody(server: MllpListener, custody: Custody) -> None:
    with connected(server) as line:
        line.sendall(b"\x0b" + numbered(1)[:50])
    with connected(server) as line:
        line.sendall(framed(numbered(2)))
        assert answers(line, 1) == [("AA", "M2")]
    assert custody.kept == [numbered(2)]


def test_stopping_answers_what_is_in_hand_and_takes_nothing_more(custody: Custody) -> None:
    begun, may_go_on = threading.Event(), threading.Event()

    def dawdle(_: bytes) -> None:
        begun.set()
        assert may_go_on.wait(10)

    custody.before = dawdle
    with listening(custody) as server, connected(server) as idle, connected(server) as line:
        line.sendall(framed(numbered(1)) + framed(numbered(2)))
        assert begun.wait(10)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert closed(idle)
        may_go_on.set()
        assert answers(line, 1) == [("AA", "M1")]
        assert closed(line)
        stopping.join()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", server.port), timeout=1)
    assert custody.kept == [numbered(1)]


def test_a_taken_port_is_said_at_once(server: MllpListener, custody: Custody) -> None:
    other = MllpListener("127.0.0.1", server.port, custody.deliver, custody.identify, Limits())
    with pytest.raises(OSError, match="in use"):
        other.start()
