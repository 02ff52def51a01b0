"""What is not read once more from the next instance of a series is what reading it would have found."""

import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import replace
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dicom.documents import recurs
from adapters.dicom.form import OTHER_TIMES, OWN, READ, Form, Mould, form_of
from adapters.dicom.header import Header
from adapters.dicom.part10 import read
from adapters.dicom.recurring import Recurring
from schemas.delivery import Channel, Origin, Read, Reading
from schemas.faults import Fault
from schemas.organization import Source

ORIGINS = tuple(
    Origin(Source(1, name, name, name, charset=charset), Channel.C_STORE, dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    for name, charset in (("CHC01", ""), ("CHC02", "gb18030"))
)
Elements = dict[int, tuple[str, bytes]]

CT, MR, PDF = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.104.1"
EXPLICIT, RLE, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2"
FRAGMENTS = [b"\xfe\xff\0\xe0\0\0\0\0", b"\xfe\xff\0\xe0\4\0\0\0abcd", b"\xfe\xff\0\xe0\2\0\0\0ef"]
PLAIN: Elements = {
    0x00080005: ("CS", b"ISO_IR 100"),
    0x00080016: ("UI", CT.encode() + b"\0"),
    0x00080018: ("UI", b"1.2.3.4\0"),
    0x00080020: ("DA", b"20260101"),
    0x00080030: ("TM", b"080000"),
    0x00080032: ("TM", b"080001"),
    0x00080060: ("CS", b"CT"),
    0x00081140: ("SQ", b""),
    0x00100010: ("PN", b"ZHANG^SAN "),
    0x00100020: ("LO", b"P1"),
    0x0020000D: ("UI", b"1.2.3\0"),
    0x0020000E: ("UI", b"1.2.3.1\0"),
    0x00200013: ("IS", b"1 "),
    0x00280010: ("US", b"\2\0"),
    0x00280011: ("US", b"\2\0"),
    0x7FE00010: ("OW", bytes(8)),
}
TEXTS = [b"", b"CHEST ", "张三".encode("gbk"), "张三".encode(), b"Buc^J\xe9r\xf4me", b"A\\B ", b"\x1b$)A\xd5\xc5"]
ITEM, ITEM_END, END = b"\xfe\xff\0\xe0", b"\xfe\xff\r\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"


def element(tag: int, vr: str, raw: bytes) -> bytes:
    """`SQ*`, `OB*`: of undefined length."""
    head = pack("<HH2s", tag >> 16, tag & 0xFFFF, vr[:2].encode())
    if vr.endswith("*"):
        return head + b"\0\0\xff\xff\xff\xff" + raw + END
    long = vr in {"OB", "OW", "SQ", "UN", "UT", "UC"}
    return head + (b"\0\0" + pack("<L", len(raw)) if long else pack("<H", len(raw))) + raw


def item(raw: bytes, *, defined: bool) -> bytes:
    return ITEM + pack("<L", len(raw)) + raw if defined else ITEM + b"\xff\xff\xff\xff" + raw + ITEM_END


INNER = [element(0x00080100, "SH", text) for text in TEXTS] + [element(0x0008, "XX", b"12"), b"\0\1\2"]
INNER += [element(0x00081140, "SQ*", item(INNER[1], defined=False)), element(0x00081140, "SQ", b"ab")]
SEQUENCES = [b"", *(item(each, defined=defined) for each in INNER for defined in (True, False))]
CHOICES: dict[int, list[tuple[str, bytes]]] = {
    0x00080005: [("CS", each) for each in (b"", b"ISO_IR 100", b"GB18030 ", b"ISO_IR 192", b"\\ISO 2022 IR 58 ")],
    0x00080008: [("CS", b"ORIGINAL"), ("CS", b"DERIVED "), ("LO", b"ORIGINAL"), ("UN", b"ORIGINAL"), ("??", b"12")],
    0x00080016: [("UI", each.encode().ljust(26, b"\0")) for each in (CT, MR)] + [("UI", PDF.encode() + b"\0")],
    0x00080018: [(vr, each) for vr in ("UI", "LO") for each in (b"1.2.3.5\0", b"1.2.3.44", b"", b"x", b"1\\2")],
    0x00080020: [("DA", each) for each in (b"20260102", b"", b"2026")],
    0x00080030: [("TM", each) for each in (b"090000", b"", b"x ")],
    0x00080032: [("TM", each) for each in (b"080002", b"080003.5", b"")],
    0x00080060: [("CS", b"ECG "), ("CS", b""), ("UN", b"MR")],
    0x00081030: [("LO", each) for each in TEXTS],
    0x00081032: [(vr, each) for vr in ("SQ", "SQ*") for each in SEQUENCES],
    0x00081140: [(vr, each) for vr in ("SQ", "SQ*", "UN*") for each in SEQUENCES],
    0x00100010: [("PN", each) for each in TEXTS],
    0x00100020: [("LO", b"P2"), ("LO", b""), ("LO", b"110101199003074530")],
    0x00181020: [("LO", each) for each in TEXTS],
    0x00200013: [(vr, each) for vr in ("IS", "US") for each in (b"2 ", b" 12 ", b"", b"-3", b"1.0 ", b"9" * 12)],
    0x00200060: [("CS", b"L "), ("CS", b"R ")],
    0x00204000: [("LT", each) for each in TEXTS],
    0x00280008: [("IS", b"2 "), ("IS", b"")],
    0x00280010: [("US", b"\3\0"), ("US", b"\3"), ("SS", b"\xff\xff")],
    0x00281201: [("OW", bytes(size)) for size in (0, 4096, 4098, 6000)] + [("OB*", b"".join(FRAGMENTS))],
    0x00291010: [("UN", each) for each in TEXTS] + [("LO", each) for each in TEXTS] + [("UN", bytes(5000))],
    0x7FE00010: [("OW", bytes(9)), *(("OB*", each) for each in (b"".join(FRAGMENTS), FRAGMENTS[0], b"\1"))],
    0xFFFCFFFC: [("OB", bytes(4)), ("OB", bytes(6))],
}  # fmt: skip
CHANGES = st.dictionaries(
    st.sampled_from(sorted(CHOICES)), st.integers(0, 99), max_size=4
).map(lambda chosen: {tag: CHOICES[tag][number % len(CHOICES[tag])] for tag, number in chosen.items()})  # fmt: skip


def part10(elements: Elements, syntax: str = EXPLICIT, named: bytes = b"") -> bytes:
    """A file as the listener makes it. named: the SOP Instance UID under which it was sent, where that is another."""
    meta = [
        element(0x00020002, "UI", elements[0x00080016][1]),
        element(0x00020003, "UI", named or elements[0x00080018][1]),
        element(0x00020010, "UI", syntax.encode().ljust(20, b"\0")),
    ]
    return bytes(128) + b"DICM" + b"".join([*meta, *(element(tag, *elements[tag]) for tag in sorted(elements))])


def outcome(reader: Read, content: bytes, origin: Origin) -> object:
    try:
        reading = reader(io.BytesIO(content), origin)
        # The digest of a data set may be left to be counted when somebody asks for it.
        return replace(reading, instances=tuple(replace(each, data_set_digest="") for each in reading.instances))
    except Fault as fault:
        return type(fault), fault.text, fault.where


@settings(max_examples=400, deadline=None)
@given(
    common=CHANGES,
    own=st.lists(CHANGES, min_size=1, max_size=3),
    tail=st.sampled_from([0, 0, 0, 0, 1, 3, 9, -2, -12]),
    named=st.sampled_from([b"", b"", b"1.2.9\0"]),
    syntax=st.sampled_from([EXPLICIT, EXPLICIT, RLE, IMPLICIT]),
    who=st.lists(st.sampled_from(ORIGINS), min_size=4, max_size=4),
)
def test_every_instance_is_read_as_if_it_came_alone(
    common: Elements, own: list[Elements], tail: int, named: bytes, syntax: str, who: list[Origin]
) -> None:
    recurring = Recurring(read, recurs)
    for number, changes in enumerate([{}, *own]):
        content = part10({**PLAIN, **common, **changes}, syntax, named if number else b"")
        if number:
            content = content[:tail] if tail < 0 else content + bytes(tail)
        for origin in (who[0], who[number]):
            assert outcome(recurring, content, origin) == outcome(read, content, origin)


def series(number: int) -> Iterator[bytes]:
    for each in range(number):
        own: Elements = {
            0x00080018: ("UI", f"1.2.3.{each + 10}".encode()),
            0x00080032: ("TM", f"08000{each}".encode()),
            0x00200013: ("IS", f"{each:2}".encode()),
            0x00204000: ("LT", f"slice {each} of many".encode()),
            0x7FE00010: ("OB*", b"".join([*FRAGMENTS, *FRAGMENTS[1:] * each])),
        }
        yield part10({**PLAIN, **own}, RLE)


def test_the_next_instance_of_a_series_is_not_read_in_the_ordinary_way() -> None:
    ordinary: list[object] = []

    def reading(content: io.BytesIO, origin: Origin) -> Reading:
        ordinary.append(content)
        return read(content, origin)

    recurring = Recurring(reading, recurs)  # type: ignore[arg-type]
    found = [recurring(io.BytesIO(content), ORIGINS[0]).instances[0] for content in series(5)]
    assert [each.instance_number for each in found] == [0, 1, 2, 3, 4]
    assert len({each.sop_instance_uid for each in found}) == 5
    assert len(ordinary) == 1


def bare(form: Form | None) -> tuple[object, ...] | None:
    return (form.pieces, form.offset, form.instance, form.number) if form else None


@settings(max_examples=600, deadline=None)
@given(
    common=CHANGES,
    syntax=st.sampled_from([EXPLICIT, RLE]),
    edits=st.lists(st.tuples(st.integers(0, 4000), st.sampled_from([0, 1, 0x1B, 0x31, 0x41, 0x80, 0xFF])), max_size=3),
    tail=st.sampled_from([0, 0, 0, 2, -2]),
)
def test_what_fits_a_mould_has_the_form_that_a_look_at_its_elements_finds(
    common: Elements, syntax: str, edits: list[tuple[int, int]], tail: int
) -> None:
    first = part10({**PLAIN, **common}, syntax, b"")
    form = form_of(first)
    if form is None:
        return
    mould = Mould(first, form)
    assert bare(mould.form_of(first)) == bare(form)
    other = bytearray(first[:tail] if tail < 0 else first + bytes(tail))
    for place, value in edits:
        # Behind the preamble, which nobody looks at.
        other[132 + place % (len(other) - 132)] = value
    fits = mould.form_of(bytes(other))
    assert fits is None or bare(fits) == bare(form_of(bytes(other)))


def test_slices_that_differ_in_their_numbers_fit_the_mould_of_the_first() -> None:
    first, *others = series(5)
    form = form_of(first)
    assert form
    fits = [Mould(first, form).form_of(content) for content in others]
    assert [bare(each) for each in fits] == [bare(form_of(content)) for content in others]
    assert None not in fits


def test_the_form_holds_every_value_that_reading_an_image_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[int] = set()
    texts, items = Header.texts, Header.items

    def noting_texts(self: Header, tag: int) -> tuple[str, ...]:
        asked.add(tag)
        return texts(self, tag)

    def noting_items(self: Header, tag: int) -> Iterator[Header]:
        asked.add(tag)
        return items(self, tag)

    monkeypatch.setattr(Header, "texts", noting_texts)
    monkeypatch.setattr(Header, "items", noting_items)
    read(io.BytesIO(part10({**PLAIN, 0x00080020: ("DA", b""), 0x00080005: ("CS", b"")})), ORIGINS[0])
    assert asked <= READ | OWN.keys() | OTHER_TIMES
    assert len(asked) > 30


def test_what_is_no_dicom_has_no_form() -> None:
    whole = part10(PLAIN)
    assert form_of(whole)
    assert form_of(b"") is form_of(whole[132:]) is form_of(whole[:140]) is form_of(whole + bytes(2 << 20)) is None
