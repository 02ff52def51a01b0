"""Command sets: the part of a DIMSE message that says what is asked. Source: DICOM PS3.7 section 6.3, annex E."""

from collections.abc import Callable, Iterable, Mapping
from struct import Struct
from struct import error as struct_error

from .pdu import Violation

Value = int | str | tuple[int, ...]
# The elements of a command set by the keywords of PS3.6, as pydicom would name them.
Command = Mapping[str, Value]

C_STORE, C_GET, C_FIND, C_MOVE, C_ECHO, C_CANCEL = 0x0001, 0x0010, 0x0020, 0x0021, 0x0030, 0x0FFF
N_EVENT_REPORT, N_GET, N_SET, N_ACTION, N_CREATE, N_DELETE = 0x0100, 0x0110, 0x0120, 0x0130, 0x0140, 0x0150
RESPONSE = 0x8000
NO_DATA_SET, DATA_SET = 0x0101, 0x0001

# PS3.7 table E.1-1: element number in group 0000, keyword, VR.
_ELEMENTS = (
    (0x0002, "AffectedSOPClassUID", "UI"),
    (0x0003, "RequestedSOPClassUID", "UI"),
    (0x0100, "CommandField", "US"),
    (0x0110, "MessageID", "US"),
    (0x0120, "MessageIDBeingRespondedTo", "US"),
    (0x0600, "MoveDestination", "AE"),
    (0x0700, "Priority", "US"),
    (0x0800, "CommandDataSetType", "US"),
    (0x0900, "Status", "US"),
    (0x0901, "OffendingElement", "AT"),
    (0x0902, "ErrorComment", "LO"),
    (0x0903, "ErrorID", "US"),
    (0x1000, "AffectedSOPInstanceUID", "UI"),
    (0x1001, "RequestedSOPInstanceUID", "UI"),
    (0x1002, "EventTypeID", "US"),
    (0x1005, "AttributeIdentifierList", "AT"),
    (0x1008, "ActionTypeID", "US"),
    (0x1020, "NumberOfRemainingSuboperations", "US"),
    (0x1021, "NumberOfCompletedSuboperations", "US"),
    (0x1022, "NumberOfFailedSuboperations", "US"),
    (0x1023, "NumberOfWarningSuboperations", "US"),
    (0x1030, "MoveOriginatorApplicationEntityTitle", "AE"),
    (0x1031, "MoveOriginatorMessageID", "US"),
)
_BY_KEYWORD = {each[1]: each for each in _ELEMENTS}
_BY_NUMBER = {number: (keyword, vr) for number, keyword, vr in _ELEMENTS}
_HEAD = Struct("<HHL")
_US, _UL, _AT = Struct("<H"), Struct("<L"), Struct("<HH")


def decode(encoded: bytes) -> dict[str, Value]:
    """The elements that the standard knows; others, of older standards, are passed over. Raises Violation."""
    found: dict[str, Value] = {}
    position, end = 0, len(encoded)
    try:
        while position < end:
            group, number, length = _HEAD.unpack_from(encoded, position)
            position += 8
            if group or position + length > end:
                raise Violation("a command set is broken")
            if number in _BY_NUMBER:
                keyword, vr = _BY_NUMBER[number]
                found[keyword] = _READERS[vr](encoded[position : position + length])
            position += length
    except struct_error as error:
        raise Violation("a command set is broken") from error
    return found


def encode(command: Command) -> bytes:
    """Implicit VR little endian, in ascending order, behind its group length."""
    body = b"".join(_encoded(command))
    return b"\0\0\0\0\4\0\0\0" + _UL.pack(len(body)) + body


def number(command: Command, keyword: str) -> int:
    """A number of a command set; 0 where it is absent."""
    value = command.get(keyword, 0)
    return value if isinstance(value, int) else 0


def _encoded(command: Command) -> Iterable[bytes]:
    for number, keyword, vr in sorted(_BY_KEYWORD[keyword] for keyword in command):
        raw = _WRITERS[vr](command[keyword])
        yield _HEAD.pack(0, number, len(raw))
        yield raw


def _text(raw: bytes) -> str:
    return raw.decode("ascii", "replace").strip("\0 ")


def _tags(raw: bytes) -> tuple[int, ...]:
    return tuple(group << 16 | number for group, number in _AT.iter_unpack(raw))


def _number(raw: bytes) -> int:
    return int(_US.unpack(raw)[0])


def _padded(value: Value, padding: bytes) -> bytes:
    raw = str(value).encode("ascii", "replace")
    return raw + padding if len(raw) % 2 else raw


def _tag_bytes(value: Value) -> bytes:
    tags = value if isinstance(value, tuple) else (int(value),)
    return b"".join(_AT.pack(tag >> 16, tag & 0xFFFF) for tag in tags)


_READERS: dict[str, Callable[[bytes], Value]] = {"UI": _text, "AE": _text, "LO": _text, "US": _number, "AT": _tags}
_WRITERS: dict[str, Callable[[Value], bytes]] = {
    "UI": lambda value: _padded(value, b"\0"),
    "AE": lambda value: _padded(value, b" "),
    "LO": lambda value: _padded(value, b" "),
    "US": lambda value: _US.pack(int(value) & 0xFFFF if isinstance(value, int | str) else 0),
    "AT": _tag_bytes,
}
