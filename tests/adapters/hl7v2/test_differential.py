"""Our tokenizer against hl7apy and python-hl7: the same segments, fields, repetitions, components, subcomponents.

Wherever the two can read a message: hl7apy raises on half of what is out there, python-hl7 knows one kind of line end.
"""

import codecs
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hl7
import pytest
from hl7apy.core import Message as TheirMessage
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message

from adapters.hl7v2.batch import pieces
from adapters.hl7v2.delimiters import Delimiters
from adapters.hl7v2.er7 import HEADERS, Message, parse

# A field as nested lists: repetitions of components of subcomponents.
Split = list[list[list[str]]]
# What stands at (component, subcomponent), from 1.
Said = dict[tuple[int, int], str]
UNNUMBERED: Said = {(0, 0): ""}
_DELIMITERS = ("^~\\&", "^~\\&#", "$%*@", "*!\\+")
_LONGEST_FOR_HL7APY = 2500  # it needs a second for a long one


def split(field: str, d: Delimiters) -> Split:
    return [
        [d.split(component, d.subcomponent) for component in d.split(repetition, d.component)]
        for repetition in d.split(field, d.repetition)
    ]


def plain(message: Message) -> str:
    """As the other parsers want it: one kind of line end."""
    return str(message).strip().replace("\r\n", "\r").replace("\n", "\r")


def comparable(content: bytes, message: Message) -> bool:
    """No batch, no mark and no line that is no segment: the others know none of these."""
    first = message.segments[0].name
    return first == "MSH" and not content.startswith(codecs.BOM_UTF8) and not any(s.continued for s in message.segments)


def ours(message: Message) -> Iterator[tuple[str, list[Split]]]:
    for segment in message.segments:
        start = 3 if segment.name in HEADERS else 1
        yield segment.name, [split(field, message.delimiters) for field in segment.fields[start:]]


def of_python_hl7(message: Message) -> Iterator[tuple[str, list[Split]]]:
    for segment in hl7.parse(plain(message)):
        name = str(segment[0])
        start = 3 if name in HEADERS else 1
        yield name, [_nested(field) for field in list(segment)[start:]]


def _nested(field: object) -> Split:
    repetitions = list(field) if isinstance(field, hl7.Field) else [field]
    found = []
    for repetition in repetitions:
        components = list(repetition) if isinstance(repetition, hl7.Repetition) else [repetition]
        found.append(
            [[str(part) for part in c] if isinstance(c, hl7.Component) else [str(c)] for c in components] or [[""]]
        )
    return found or [[[""]]]


def of_hl7apy(theirs: TheirMessage) -> dict[tuple[str, int], list[Said]]:
    """By segment name and field number, what the repetitions of all segments of that name say."""
    found: dict[tuple[str, int], list[Said]] = {}
    for segment in theirs.children:
        for field in segment.children:
            parts = list(field.children)
            if not parts:
                said = {(1, 1): field.to_er7()}
            else:
                told = [each for component in parts for each in _parts(component)]
                # What its grammar does not expect there it keeps, and does not number.
                said = dict(told) if len(dict(told)) == len(told) else UNNUMBERED
            # A field beyond its version of the standard has no number.
            number = _number(field) if "_" in str(field.name) else 0
            found.setdefault((segment.name, number), []).append(said)
    return found


def _parts(component: Any) -> Iterator[tuple[tuple[int, int], str]]:  # noqa: ANN401 - hl7apy has no types
    parts = list(component.children)
    if not parts:
        yield (_number(component), 1), component.to_er7()
    for part in parts:
        yield (_number(component), _number(part)), part.to_er7()


def _number(element: Any) -> int:  # noqa: ANN401 - as above
    """`CX_4` is the fourth; a type without parts is the first and only."""
    number = str(element.name or "").rpartition("_")[2]
    return int(number) if number.isdecimal() else 1


def generated(chance: random.Random) -> bytes:
    """A message of odd but legal shape."""
    marks = chance.choice(_DELIMITERS)
    d = parse(f"MSH|{marks}|\r".encode()).delimiters
    words = ["", "", "a", "12.5", "王芳", "x y", '""', f"{d.escape}S{d.escape}", f"{d.escape}X0D{d.escape}", "O'B-1"]

    def field() -> str:
        return d.repetition.join(
            d.component.join(d.subcomponent.join(chance.choices(words, k=chance.randint(1, 3))) for _ in range(n))
            for n in (chance.randint(1, 4) for _ in range(chance.randint(1, 2)))
        )

    names = chance.choices(["PID", "OBR", "OBX", "NTE", "PV1", "ZXX"], k=chance.randint(1, 6))
    lines = [f"{name}|{'|'.join(field() for _ in range(chance.randint(1, 8)))}" for name in names]
    head = f"MSH|{marks}|LIS|CHC01|||20261121||ORU{d.component}R01|1|P|2.5.1"
    return ("\r".join([head, *lines]) + "\r").encode()


@pytest.mark.parametrize("seed", range(40))
def test_generated_messages_split_as_python_hl7_splits_them(seed: int) -> None:
    for content in (generated(random.Random(f"{seed}/{n}")) for n in range(5)):
        message = parse(content)
        assert message.encode() == content
        assert list(of_python_hl7(message)) == list(ours(message)), content


def test_samples_split_as_python_hl7_splits_them(samples: Path) -> None:
    compared = 0
    for content in _samples(samples):
        message = parse(content)
        if not comparable(content, message):
            continue
        # It makes a segment of a blank line, and we of none.
        theirs = [each for each in of_python_hl7(message) if each[0].strip()]
        assert theirs == list(ours(message))
        compared += len(theirs)
    assert compared > 400


def test_samples_split_as_hl7apy_splits_them_where_it_can(samples: Path) -> None:
    compared = 0
    for content in _samples(samples):
        message = parse(content)
        if len(content) > _LONGEST_FOR_HL7APY or not comparable(content, message):
            continue
        try:
            theirs = of_hl7apy(parse_message(plain(message), find_groups=False))
        except (HL7apyException, ValueError, AttributeError, KeyError, IndexError):
            continue
        compared += _agree(message, theirs)
    assert compared > 300


def _agree(message: Message, theirs: dict[tuple[str, int], list[Said]]) -> int:
    mine: dict[tuple[str, int], Split] = {}
    for segment in message.segments:
        for number, field in enumerate(segment.fields):
            # MSH-1 and MSH-2 are delimiters, not split by them. hl7apy knows an empty field by not having it.
            if number and field and (segment.name, number) not in {("MSH", 1), ("MSH", 2)}:
                mine.setdefault((segment.name, number), []).extend(split(field, message.delimiters))
    compared = 0
    for place, repetitions in mine.items():
        # It numbers nothing in segments that the standard does not know.
        if place in theirs and not place[0].startswith("Z") and UNNUMBERED not in theirs[place]:
            other = [{at: text for at, text in said.items() if text} for said in theirs[place]]
            assert [said for said in other if said] == _said(repetitions), place
            compared += 1
    return compared


def _said(repetitions: Split) -> list[Said]:
    """What is not empty, by its place: hl7apy leaves out what is empty."""
    said = [
        {(c, s): text for c, parts in enumerate(repetition, 1) for s, text in enumerate(parts, 1) if text}
        for repetition in repetitions
    ]
    return [each for each in said if each]


def _samples(samples: Path) -> list[bytes]:
    files = sorted(path for path in (samples / "hl7").rglob("*") if path.is_file())
    return [each for path in files for each in pieces(path.read_bytes())]
