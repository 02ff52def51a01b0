"""Acknowledgements as a sender's system reads them."""

import datetime as dt

import hl7
import pytest

from adapters.hl7v2 import ack
from adapters.hl7v2.header import header
from schemas.delivery import Receipt, State
from schemas.faults import FAULTS, Category, Fault, InvalidPayload

RECEIPT = Receipt(42, "d1g35t", State.INDEXED, dt.datetime(2026, 11, 21, 3, 4, 5, tzinfo=dt.UTC), (7,))


def head(accept: str = "", application: str = "", **changes: str) -> bytes:
    fields = [
        "MSH",
        "^~\\&",
        "LIS",
        "CHC01",
        "DXHUB",
        "CENTRE",
        "20261121103000",
        "",
        "ORU^R01^ORU_R01",
        "M1",
        "P",
        "2.4",
    ]
    fields += ["", "", accept, application, "", changes.get("charset", "UNICODE UTF-8")]
    for number, value in changes.items():
        if number.startswith("f"):
            fields[int(number[1:]) - 1] = value
    return "|".join(fields).encode() + b"\rPID|1||P1||\xe7\x8e\x8b\xe8\x8a\xb3\r"


def codes(accept: str, application: str, fault: Fault | None = None) -> list[str]:
    answers = ack.acknowledgements(header(head(accept, application)), fault, RECEIPT)
    return [str(hl7.parse(answer.decode())["MSA"][0][1]) for answer in answers]


def answer(content: bytes, fault: Fault | None = None, receipt: Receipt | None = RECEIPT) -> hl7.Message:
    (found,) = ack.acknowledgements(header(content), fault, receipt)
    return hl7.parse(found.decode())


@pytest.mark.parametrize("category", list(Category))
def test_every_category_has_its_code(category: Category) -> None:
    refusing = {Category.UNSUPPORTED, Category.FORBIDDEN, Category.BUSY, Category.INTERNAL}
    expected = "AR" if category in refusing else "AE"
    fault = FAULTS[category]("no", where="PID-3")
    assert codes("", "", fault) == [expected]
    assert codes("AL", "NE", fault) == ["C" + expected[1]]
    assert set(ack.CODES) == set(ack.CONDITIONS) == set(Category)


@pytest.mark.parametrize(
    ("accept", "application", "taken", "refused"),
    [
        ("", "", ["AA"], ["AE"]),
        ("0", "2", ["AA"], ["AE"]),
        ("AL", "NE", ["CA"], ["CE"]),
        ("NE", "AL", ["AA"], ["AE"]),
        ("AL", "AL", ["CA", "AA"], ["CE", "AE"]),
        ("ER", "NE", [], ["CE"]),
        ("SU", "NE", ["CA"], []),
        ("NE", "ER", [], ["AE"]),
        ("NE", "NE", [], []),
        ("AL", "", ["CA"], ["CE"]),
    ],
)
def test_the_sender_gets_the_acknowledgements_it_asks_for(
    accept: str, application: str, taken: list[str], refused: list[str]
) -> None:
    assert codes(accept, application) == taken
    assert codes(accept, application, InvalidPayload("no")) == refused


def test_an_acknowledgement_goes_back_where_the_message_came_from() -> None:
    found = answer(head())
    msh = [str(field) for field in found["MSH"][0]]
    assert msh[3:7] == ["DXHUB", "CENTRE", "LIS", "CHC01"]
    assert msh[7] == "20261121030405+0000"
    assert msh[9] == "ACK^R01^ACK"
    assert msh[10:13] == ["AA42", "P", "2.4"]
    assert msh[18] == "UNICODE UTF-8"
    assert [str(field) for field in found["MSA"][0]] == ["MSA", "AA", "M1"]


def test_the_same_receipt_earns_the_same_acknowledgement() -> None:
    asked = header(head())
    assert ack.acknowledgements(asked, None, RECEIPT) == ack.acknowledgements(asked, None, RECEIPT)


def test_a_refusal_says_what_and_where() -> None:
    found = answer(head(), InvalidPayload("no usable identifier | none", where="PID[2]-3.4"))
    err = [str(field) for field in found["ERR"][0]]
    assert err[2:5] == ["PID^2^3^1^4", "102^Data type error^HL70357", "E"]
    assert err[7:] == ["PID[2]-3.4", "no usable identifier \\F\\ none"]
    assert str(found["MSA"][0][3]) == "no usable identifier \\F\\ none"


def test_a_missing_message_id_is_echoed_as_missing() -> None:
    assert [str(field) for field in answer(head(f10=""))["MSA"][0]] == ["MSA", "AA"]


def test_the_answer_speaks_the_senders_delimiters_and_character_set() -> None:
    content = head(charset="GB 18030-2000", f4="弢昞医院").decode().translate(str.maketrans("|^~\\&", "!@*%$"))
    (found,) = ack.acknowledgements(header(content.encode("gb18030")), InvalidPayload("no", where="PID-3"), RECEIPT)
    text = found.decode("gb18030")
    assert text.startswith("MSH!@*%$!DXHUB!CENTRE!LIS!弢昞医院!")
    assert "\rERR!!PID@1@3!102@Data type error@HL70357!E" in text


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\xfe\x00", b"MSH", b"MSH|", b"PID|1||P1", b"MSH|^~\\&"])
def test_even_garbage_gets_an_answer(content: bytes) -> None:
    found = answer(content, InvalidPayload("expected MSH"), None)
    assert str(found["MSA"][0][1]) == "AE"


def test_nothing_of_the_body_comes_back() -> None:
    (found,) = ack.acknowledgements(header(head()), InvalidPayload("no", where="PID-5"), RECEIPT)
    assert "王" not in found.decode()
