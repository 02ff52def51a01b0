"""Rules of the standard for segments, fields and message structures, from hl7apy's tables of each version.

Raises whatever hl7apy raises; `strict` turns that into findings too.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from hl7apy import load_reference
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import ChildNotFound, HL7apyException, ValidationError
from hl7apy.factories import datatype_factory
from hl7apy.parser import parse_field, parse_message
from hl7apy.validation import Validator

from schemas.conformance import Finding, Severity

from .delimiters import Delimiters
from .er7 import HEADERS, NULL, Message, Segment
from .escapes import unescape

_STRICT, _TOLERANT = VALIDATION_LEVEL.STRICT, VALIDATION_LEVEL.TOLERANT
_VARIES = "varies"
# Beside its own exceptions the library has those of its bugs.
RAISED = (HL7apyException, ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RecursionError)
# The tables of 2.3.1 call required what the standard calls conditional.
_CONDITIONAL = frozenset({("OBX", 4)})
_CODE = re.compile(r"[A-Za-z0-9 .,:/+^_-]{1,20}")
# Segments whose values may say who somebody is: a value that breaks a rule is not repeated.
_PERSONAL = frozenset({"PID", "PD1", "NK1", "PV1", "PV2", "GT1", "IN1", "IN2", "MRG"})


@lru_cache(maxsize=2048)
def _fields(name: str, version: str) -> tuple[Any, ...]:
    """(name, reference, (least, most), …) of each field of a segment."""
    return tuple(load_reference(name, "Segment", version)[1])


def _title(name: str) -> str:
    return name.replace("_", " ").lower()


def segment_findings(segment: Segment, place: str, delimiters: Delimiters, version: str) -> Iterator[Finding]:
    """Fields that are required, repeat too often, are too long, or hold no value of their table; fields too many."""
    rules = _fields(segment.name, version)
    if any(segment.fields[len(rules) + 1 :]):
        words = f"at most {len(rules)} fields in version {version}"
        yield Finding(Severity.ERROR, place, words, f"{len(segment.fields) - 1}")
    for number, (_, reference, (least, most), *_) in enumerate(rules, 1):
        where, value = f"{place}-{number}", segment[number]
        if segment.name in HEADERS and number < 3:
            continue
        if least and not value and (segment.name, number) not in _CONDITIONAL:
            yield Finding(Severity.ERROR, where, f"a value: {_title(reference[3])} is required", "nothing")
        elif value and value != NULL:
            repetitions = delimiters.split(value, delimiters.repetition)
            if 0 < most < len(repetitions):
                yield Finding(Severity.ERROR, where, f"at most {most} of {_title(reference[3])}", f"{len(repetitions)}")
            for each in repetitions:
                yield from _values(each, where, reference, segment.name, version)


def _values(value: str, where: str, reference: Any, segment: str, version: str) -> Iterator[Finding]:  # noqa: ANN401
    kind, _, _, _, table, longest = reference
    if 0 < longest < len(value):
        yield Finding(Severity.WARNING, where, f"at most {longest} characters", f"{len(value)}")
    if kind == "leaf" and table and (known := _table(table, version)) and value not in known:
        found = value if segment not in _PERSONAL and _CODE.fullmatch(value) else "a value that is not in it"
        yield Finding(Severity.WARNING, where, f"a value of table {table.removeprefix('HL7')}", found)


@lru_cache(maxsize=512)
def _table(name: str, version: str) -> frozenset[str]:
    try:
        return frozenset(load_reference(name, "Table", version)[1])
    except ChildNotFound:
        return frozenset()  # a table that sites fill themselves


def field_findings(
    segment: Segment, number: int, where: str, delimiters: Delimiters, version: str
) -> Iterator[Finding]:
    """Values that are none of their data type."""
    rules = _fields(segment.name, version)
    if number > len(rules) or segment[number] == NULL:
        return
    name, reference = rules[number - 1][:2]
    datatype = reference[2]
    if datatype == _VARIES:
        yield from _varying(segment, number, where, delimiters, version)
        return
    for repetition in delimiters.split(segment[number], delimiters.repetition):
        if not repetition:
            continue
        try:
            parse_field(repetition, name, version, _encoding(delimiters), _STRICT)
        except RAISED as error:
            expected = f"{_title(reference[3])}, data type {datatype}"
            yield Finding(Severity.ERROR, where, expected, _said(error, datatype))


def _varying(segment: Segment, number: int, where: str, delimiters: Delimiters, version: str) -> Iterator[Finding]:
    """OBX-5, whose data type stands in OBX-2."""
    datatype = segment[2]
    if segment.name != "OBX" or number != 5:
        return
    if not datatype:
        place = where.rpartition("-")[0]
        yield Finding(Severity.ERROR, f"{place}-2", "the data type of the value in OBX-5", "nothing")
        return
    try:
        load_reference(datatype, "Datatypes_Structs", version)
    except ChildNotFound:
        yield from _base(segment, datatype, where, delimiters, version)


def _base(segment: Segment, datatype: str, where: str, delimiters: Delimiters, version: str) -> Iterator[Finding]:
    for repetition in delimiters.split(segment[5], delimiters.repetition):
        try:
            datatype_factory(datatype, unescape(repetition, delimiters), version, _STRICT)
        except RAISED as error:
            yield Finding(Severity.ERROR, where, f"a value of data type {datatype[:10]}", _said(error, datatype[:10]))


def _said(error: Exception, datatype: str) -> str:
    """What the library found, without the value that it quotes."""
    words = str(error)
    if "Invalid name for" in words or "MaxChildLimitReached" in type(error).__name__:
        return f"more components than {datatype} has"
    if valid := re.search(r"is not an HL7 valid (\w+) value", words):
        return f"a value that is no valid {valid[1]}"
    if "max length" in words.lower() or "MaxLength" in type(error).__name__:
        return "a value that is too long"
    return "a value that is none"


def _encoding(delimiters: Delimiters) -> dict[str, str]:
    return {
        "SEGMENT": "\r",
        "FIELD": delimiters.field,
        "COMPONENT": delimiters.component or "^",
        "REPETITION": delimiters.repetition or "~",
        "ESCAPE": delimiters.escape or "\\",
        "SUBCOMPONENT": delimiters.subcomponent or "&",
    }


def structure_findings(message: Message, version: str) -> Iterator[Finding]:
    """Segments that a message of this kind must have, may not have, or has too often."""
    first = message.delimiters.first
    kind = [first(message.header[9], number) for number in (1, 2, 3)]
    structure = kind[2] or "_".join(part for part in kind[:2] if part)
    if not all(re.fullmatch(r"[A-Z0-9_]{0,12}", part) for part in kind) or not kind[0]:
        yield Finding(Severity.ERROR, "MSH[1]-9", "a message type such as ORU^R01^ORU_R01", "something else")
        return
    bones = [f"MSH|^~\\&|||||||{'^'.join(kind).rstrip('^')}|1|P|{version}"]
    bones += [each.name for each in message.segments if each.name not in HEADERS and each.name != "FTS"]
    parsed = parse_message("\r".join(bones), _TOLERANT, find_groups=True)
    if parsed.name is None:
        yield Finding(Severity.ERROR, "MSH[1]-9", f"a message structure of version {version}", structure)
        return
    for line in _report(parsed):
        if finding := _structural(line):
            yield finding


def _report(parsed: Any) -> list[str]:  # noqa: ANN401
    """All that the library's validator has to say; it writes it into a file, or stops at the first."""
    with tempfile.TemporaryDirectory(prefix="dxhub-strict-") as folder:
        path = Path(folder, "report")
        with suppress(ValidationError):
            Validator.validate(parsed, report_file=str(path))
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


_CHILD = re.compile(r"Error: (Missing required child|Child limit exceeded) (\w+)\.(\w+)")
_STRANGERS = re.compile(r"Error: Invalid children detected for <(?:Group|Message) (\w+)>: \[(.*)\]")


def _structural(line: str) -> Finding | None:
    if found := _CHILD.fullmatch(line):
        what, parent, child = found.groups()
        if re.fullmatch(r"\w{3}_\d+", child):
            return None  # a field: the bones have none
        where = f"in {parent}"
        if what.startswith("Missing"):
            return Finding(Severity.ERROR, child, f"{_kind(child)} {where}", "none")
        return Finding(Severity.ERROR, child, f"fewer of {_kind(child)} {where}", "too many")
    if found := _STRANGERS.fullmatch(line):
        strangers = ", ".join(re.findall(r"'(\w+)'", found[2])) or "others"
        return Finding(Severity.ERROR, strangers, f"segments that belong to {found[1]}", strangers)
    return None


def _kind(child: str) -> str:
    return f"segment {child}" if len(child) == 3 else f"group {child}"
