"""Where the data set of a file begins, and how it is encoded. Source: DICOM PS3.10 section 7, PS3.5 section 10."""

import tempfile
import zlib
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO, cast

from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from schemas.faults import Fault, InvalidPayload, UnsupportedPayload

TRANSFER_SYNTAX = 0x00020010
MEDIA_SOP_CLASS, MEDIA_SOP_INSTANCE = 0x00020002, 0x00020003
PREAMBLE = 132
MAX_META = 1 << 20
# A deflated data set may not grow beyond this: a megabyte of zeros is a kilobyte on the wire.
MAX_INFLATED = 512 << 20

# Implicit VR with pixels in the other byte order: a private syntax of GE, readable as far as headers go.
_IMPLICIT = frozenset({str(ImplicitVRLittleEndian), "1.2.840.113619.5.2"})
# The pixels lie at an address outside the instance (JPIP): nothing that we could keep.
REFERENCED = frozenset(
    {"1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.204", "1.2.840.10008.1.2.4.205"}
)
_HEAD = Struct("<HH2sH")
_LONG = Struct("<L")


@dataclass(frozen=True, slots=True)
class Encoding:
    """`offset`: of the data set in the file. The SOP UIDs are those of the file meta, empty where there is none."""

    offset: int
    transfer_syntax_uid: str
    sop_class_uid: str = ""
    sop_instance_uid: str = ""

    @property
    def explicit(self) -> bool:
        return self.transfer_syntax_uid not in _IMPLICIT

    @property
    def little(self) -> bool:
        return self.transfer_syntax_uid != ExplicitVRBigEndian

    @property
    def deflated(self) -> bool:
        return self.transfer_syntax_uid == DeflatedExplicitVRLittleEndian


def is_dicom(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a DICOM file, or of a bare data set as some exports write it."""
    if head[128:PREAMBLE] == b"DICM":
        return True
    return len(head) >= 16 and _bare(head) != ""


def _bare(head: bytes) -> str:
    """The transfer syntax of a data set without file meta, as its first element shows it; empty where none does.

    Data sets begin in group 0002 or 0008, with a low element number and a short value.
    """
    group, number, vr, length = _HEAD.unpack_from(head)
    if group in {2, 8} and number < 0x100 and vr.isalpha() and vr.isupper() and length < 256:
        return str(ExplicitVRLittleEndian)
    if group == 8 and number < 0x100 and _LONG.unpack_from(head, 4)[0] < 256:
        return str(ImplicitVRLittleEndian)
    group, number = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:4], "big")
    if group == 8 and number < 0x100 and vr.isalpha() and vr.isupper():
        return str(ExplicitVRBigEndian)
    return ""


def encoding(source: BinaryIO) -> Encoding:
    """Read the file meta, or do without. Raises InvalidPayload or UnsupportedPayload."""
    source.seek(0)
    head = source.read(PREAMBLE)
    start = PREAMBLE if head[128:] == b"DICM" else 0
    source.seek(start)
    first = source.read(16)
    if len(first) < 8 or (start == 0 and not is_dicom(first)):
        raise InvalidPayload("expected `DICM` after a preamble of 128 bytes, or a DICOM data set", where="byte 128")
    values: dict[int, str] = {}
    offset = start
    if first[:2] == b"\x02\x00":
        offset, values = _file_meta(source, start)
    source.seek(offset)
    found = values.get(TRANSFER_SYNTAX) or _bare(source.read(16).ljust(16, b"\0"))
    if not found:
        raise InvalidPayload("the transfer syntax is missing and cannot be told", where="(0002,0010)")
    if found in REFERENCED:
        raise UnsupportedPayload(f"pixel data kept elsewhere ({UID(found).name})", where="(0002,0010)")
    return Encoding(offset, found, values.get(MEDIA_SOP_CLASS, ""), values.get(MEDIA_SOP_INSTANCE, ""))


def _file_meta(source: BinaryIO, start: int) -> tuple[int, dict[int, str]]:
    """The offset behind group 0002 and its UIDs. Its group length is not believed: writers get it wrong."""
    source.seek(start)
    block = source.read(MAX_META)
    position, values = 0, {}
    while block[position : position + 2] == b"\x02\x00":
        if len(block) - position < 12:
            raise InvalidPayload("the file ends within its meta information", where="(0002,0000)")
        _, number, vr, length = _HEAD.unpack_from(block, position)
        where = f"(0002,{number:04X})"
        if not (vr.isalpha() and vr.isupper()):
            raise InvalidPayload("expected explicit VR in the file meta information", where=where)
        position += 8
        if vr in {b"OB", b"OW", b"UN", b"UT", b"SQ", b"UC", b"UR"}:
            (length,) = _LONG.unpack_from(block, position)
            position += 4
        if position + length > len(block):
            raise InvalidPayload(f"declares {length} bytes where {len(block) - position} are left", where=where)
        if vr == b"UI":
            values[0x00020000 | number] = block[position : position + length].decode("ascii", "replace").strip("\0 ")
        position += length
    return start + position, values


def inflate(source: BinaryIO, offset: int) -> BinaryIO:
    """The data set of a deflated file, on disk where it is large. Raises InvalidPayload, UnsupportedPayload."""
    source.seek(offset)
    target = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=8 << 20))  # noqa: SIM115 (the caller closes it)
    try:
        _inflate(source, target)
    except Fault:
        target.close()
        raise
    return target


def _inflate(source: BinaryIO, target: BinaryIO) -> None:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        while not engine.eof:
            piece = engine.unconsumed_tail or source.read(1 << 16)
            if not piece:
                break
            target.write(engine.decompress(piece, 1 << 20))
            if target.tell() > MAX_INFLATED:
                raise UnsupportedPayload(f"inflates to more than {MAX_INFLATED >> 20} MiB", where="(0002,0010)")
    except zlib.error as fault:
        raise InvalidPayload("the deflated data set is damaged", where="(0002,0010)") from fault
