"""Protocol data units of the upper layer, but for P-DATA. Source: DICOM PS3.8 section 9.3, PS3.7 annex D.3.3."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from struct import error as struct_error

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)
# A longest A-ASSOCIATE-RQ (128 contexts with 40 transfer syntaxes each) is about 200 KB.
MAX_PDU = 1 << 20
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
# Made from a UUID (PS3.5 annex B.2): nobody has to register a root.
IMPLEMENTATION_UID, IMPLEMENTATION_NAME = "2.25.294897944590809093559258565974452214072", "DXHUB"

# Reasons of a provider's A-ABORT, PS3.8 section 9.3.8.
UNSPECIFIED, UNRECOGNISED_PDU, UNEXPECTED_PDU, INVALID_PARAMETER = 0, 1, 2, 6
RELEASE_REPLY = b"\x06\0\0\0\0\4\0\0\0\0"

HEAD = Struct(">BxL")
_ITEM = Struct(">BxH")
_FIXED = Struct(">HH16s16s32s")
_TEXT_LENGTH = Struct(">H")
_LONG = Struct(">L")


class Ended(Exception):
    """The association is over: the peer released, aborted, vanished, or was silent for too long."""


class Violation(Ended):
    """The peer broke the protocol: it is told by an A-ABORT with `reason`. The text quotes nothing of the peer's."""

    def __init__(self, text: str, reason: int = INVALID_PARAMETER) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Proposed:
    """A presentation context as it is proposed. number: odd, its id."""

    number: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssociateRequest:
    """A-ASSOCIATE-RQ. titles: called and calling, as they stand on the wire, 16 bytes each.

    max_length: of P-DATA that the peer takes, 0 for no limit. roles: by SOP class, whether the peer wants to be
    (SCU, SCP). What it says of asynchronous operations, extended negotiation and its user is passed over: no answer to
    those means that they are not used.
    """

    titles: bytes
    called: str
    calling: str
    contexts: tuple[Proposed, ...]
    application_context: str = ""
    version: int = 1
    max_length: int = 0
    roles: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    implementation: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to one. result: 0 accepted, 3 abstract syntax not taken, 4 transfer syntaxes not taken."""

    number: int
    result: int
    transfer_syntax: str


def associate_request(body: bytes) -> AssociateRequest:
    """The body of an A-ASSOCIATE-RQ. Raises Violation."""
    try:
        version, _, called, calling, _ = _FIXED.unpack_from(body)
        items = list(_items(body[_FIXED.size :]))
        users = [piece for kind, raw in items if kind == 0x50 for piece in _items(raw)]
        contexts = tuple(_proposed(raw) for kind, raw in items if kind == 0x20)
        lengths = [_LONG.unpack(raw)[0] for kind, raw in users if kind == 0x51]
        roles = dict(_role(raw) for kind, raw in users if kind == 0x54)
    except struct_error as error:
        raise Violation("an A-ASSOCIATE-RQ is broken") from error
    if len({each.number for each in contexts}) != len(contexts) or any(each.number % 2 == 0 for each in contexts):
        raise Violation("presentation contexts are not numbered as they should be")
    return AssociateRequest(
        titles=body[4:36],
        called=_text(called),
        calling=_text(calling),
        contexts=contexts,
        application_context=next((_text(raw) for kind, raw in items if kind == 0x10), ""),
        version=version,
        max_length=lengths[0] if lengths else 0,
        roles=roles,
        implementation=next((_text(raw) for kind, raw in users if kind == 0x55), ""),
    )


def associate_accept(
    request: AssociateRequest,
    contexts: Sequence[Answered],
    roles: Mapping[str, tuple[bool, bool]],
    max_length: int,
) -> bytes:
    """A-ASSOCIATE-AC for that request. roles: those of the proposed that are taken."""
    user = [
        _item(0x51, _LONG.pack(max_length)),
        _item(0x52, IMPLEMENTATION_UID.encode()),
        *(_item(0x54, _role_bytes(uid, *role)) for uid, role in roles.items()),
        _item(0x55, IMPLEMENTATION_NAME.encode()),
    ]
    items = [
        _item(0x10, APPLICATION_CONTEXT.encode()),
        *(
            _item(0x21, bytes([each.number, 0, each.result, 0]) + _item(0x40, each.transfer_syntax.encode()))
            for each in contexts
        ),
        _item(0x50, b"".join(user)),
    ]
    body = b"\0\1\0\0" + request.titles + bytes(32) + b"".join(items)
    return HEAD.pack(ASSOCIATE_AC, len(body)) + body


def associate_reject(result: int, source: int, reason: int) -> bytes:
    """A-ASSOCIATE-RJ; the numbers are those of PS3.8 table 9-21."""
    return HEAD.pack(ASSOCIATE_RJ, 4) + bytes([0, result, source, reason])


def abort(reason: int | None) -> bytes:
    """A-ABORT by the provider for that reason; by the user, who needs none, for None."""
    return HEAD.pack(ABORT, 4) + (bytes(4) if reason is None else bytes([0, 0, 2, reason]))


def _items(raw: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(raw):
        kind, length = _ITEM.unpack_from(raw, position)
        position += 4
        if position + length > len(raw):
            raise Violation("an item of an A-ASSOCIATE-RQ is longer than what holds it")
        yield kind, raw[position : position + length]
        position += length


def _item(kind: int, raw: bytes) -> bytes:
    return _ITEM.pack(kind, len(raw)) + raw


def _proposed(raw: bytes) -> Proposed:
    if len(raw) < 4:
        raise Violation("a presentation context is cut short")
    items = list(_items(raw[4:]))
    abstract = [_text(value) for kind, value in items if kind == 0x30]
    transfer = tuple(_text(value) for kind, value in items if kind == 0x40)
    if len(abstract) != 1 or not transfer:
        raise Violation("a presentation context names no abstract or no transfer syntax")
    return Proposed(raw[0], abstract[0], transfer)


def _role(raw: bytes) -> tuple[str, tuple[bool, bool]]:
    (length,) = _TEXT_LENGTH.unpack_from(raw)
    if len(raw) < length + 4:
        raise Violation("a role selection is cut short")
    return _text(raw[2 : 2 + length]), (raw[2 + length] == 1, raw[3 + length] == 1)


def _role_bytes(uid: str, scu: bool, scp: bool) -> bytes:
    return _TEXT_LENGTH.pack(len(uid)) + uid.encode("ascii", "replace") + bytes([scu, scp])


def _text(raw: bytes) -> str:
    return raw.decode("ascii", "replace").strip("\0 ")
