"""One frame of a stored instance as an array. Source: DICOM PS3.5 section 8 and annex A, PS3.3 C.7.6.3.

Whatever is declared, in the header or in the compressed bytes themselves, is held against a limit before any memory is
taken for it.
"""

import struct
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom import Dataset, config, dcmread
from pydicom.encaps import encapsulate, get_frame
from pydicom.errors import InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import get_expected_length, pixel_array
from pydicom.uid import UID, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes

from schemas.faults import NotFound, UnsupportedPayload

# The largest digital mammograms have 22 million pixels.
MAX_PIXELS = 40_000_000
MAX_DEFLATED = 64 << 20
_DEFER = 16 << 20
_WHERE = "(7FE0,0010)"
# Decoders in C and Python raise what they like at damaged bytes.
DAMAGED = (
    *(
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RuntimeError,
        EOFError,
        OSError,
        MemoryError,
    ),
    *(struct.error, InvalidDicomError, Image.DecompressionBombError),
)
_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}

Pixels = npt.NDArray[np.integer | np.floating]

config.settings.reading_validation_mode = config.IGNORE


def read_frame(source: BinaryIO, transfer_syntax_uid: str, frame: int) -> tuple[Pixels, Dataset]:
    """Frame `frame` (from 1), shape (rows, columns) or (rows, columns, 3), and the header around it.

    YBR is converted to RGB. Raises UnsupportedPayload where there is no image, no decoder, or damaged or contradictory
    pixel data; NotFound for a frame beyond the last.
    """
    try:
        return _read_frame(source, UID(transfer_syntax_uid), frame)
    except DAMAGED as fault:
        raise UnsupportedPayload(f"the pixel data cannot be drawn ({type(fault).__name__})", where=_WHERE) from fault


def native_frame(source: BinaryIO, transfer_syntax_uid: str, frame: int) -> Pixels:
    """Frame `frame` (from 1) decoded, its colours as the header says: YBR stays YBR. Raises as `read_frame`."""
    try:
        return _read_frame(source, UID(transfer_syntax_uid), frame, raw=True)[0]
    except DAMAGED as fault:
        raise UnsupportedPayload(f"the frame cannot be decoded ({type(fault).__name__})", where=_WHERE) from fault


def frame_bytes(source: BinaryIO, transfer_syntax_uid: str, frame: int) -> bytes:
    """Frame `frame` (from 1) in the encoding in which it is stored. Raises as `read_frame` does."""
    syntax = UID(transfer_syntax_uid)
    try:
        header, frames = _header(source, syntax, frame)
        if syntax.is_encapsulated:
            return _encapsulated(source, header, frame, frames)
        size = get_expected_length(header) // frames
        if syntax.is_deflated:
            _check_deflated(source, header)
            return bytes(dcmread(source).PixelData[(frame - 1) * size : frame * size])
        # Tag, VR, two reserved bytes and length in explicit VR; tag and length in implicit.
        source.seek((8 if syntax.is_implicit_VR else 12) + (frame - 1) * size, 1)
        content = source.read(size)
    except DAMAGED as fault:
        raise UnsupportedPayload(f"the frame cannot be found ({type(fault).__name__})", where=_WHERE) from fault
    if len(content) != size:
        raise UnsupportedPayload("the pixel data end before this frame", where=_WHERE)
    return content


def _read_frame(source: BinaryIO, syntax: UID, frame: int, *, raw: bool = False) -> tuple[Pixels, Dataset]:
    header, frames = _header(source, syntax, frame)
    if syntax.is_deflated:
        return _inflated(source, header, frame), header
    if syntax.is_encapsulated:
        return _decompressed(_encapsulated(source, header, frame, frames), header, syntax, raw=raw), header
    source.seek(0)
    return pixel_array(source, index=frame - 1, transfer_syntax_uid=syntax, raw=raw), header


def _header(source: BinaryIO, syntax: UID, frame: int) -> tuple[Dataset, int]:
    """The header and its number of frames; `source` is left at the pixel data element."""
    header = dcmread(source, stop_before_pixels=True, force=True, defer_size=_DEFER)
    header.file_meta.TransferSyntaxUID = syntax
    frames = _check_declared(header)
    if not 1 <= frame <= frames:
        raise NotFound(f"the instance has {frames} frames", where="frame")
    return header, frames


def _check_declared(header: Dataset) -> int:
    """The number of frames, after everything that sizes are computed from was found within the limits."""
    rows, columns = header.get("Rows"), header.get("Columns")
    if not rows or not columns or "BitsAllocated" not in header:
        raise UnsupportedPayload("this instance holds no image", where="(0028,0010)")
    samples = int(header.get("SamplesPerPixel") or 1)
    if int(rows) * int(columns) * samples > MAX_PIXELS or samples not in {1, 3}:
        raise UnsupportedPayload(f"declares {rows} x {columns} pixels, more than the hub draws", where="(0028,0010)")
    return max(int(header.get("NumberOfFrames") or 1), 1)


def _inflated(source: BinaryIO, header: Dataset, frame: int) -> Pixels:
    _check_deflated(source, header)
    return pixel_array(dcmread(source), index=frame - 1)


def _check_deflated(source: BinaryIO, header: Dataset) -> None:
    """Deflated data sets have to be inflated as a whole; `source` is left at its start."""
    if max(source.seek(0, 2), get_expected_length(header)) > MAX_DEFLATED:
        raise UnsupportedPayload("a deflated instance too large to draw", where=_WHERE)
    source.seek(0)


def _encapsulated(source: BinaryIO, header: Dataset, frame: int, frames: int) -> bytes:
    """The compressed bytes of one frame. `source` stands at the pixel data element: tag, VR, length, then items."""
    source.seek(12, 1)
    tables = (header.get("ExtendedOffsetTable"), header.get("ExtendedOffsetTableLengths"))
    extended = (tables[0], tables[1]) if tables[0] and tables[1] else None
    return get_frame(source, frame - 1, extended_offsets=extended, number_of_frames=frames)


def _decompressed(frame: bytes, header: Dataset, syntax: UID, *, raw: bool = False) -> Pixels:
    size = coded_size(frame)
    if size and size != (int(header.Rows), int(header.Columns)):
        raise UnsupportedPayload(
            f"a frame of {size[0]} x {size[1]} pixels where the header says otherwise", where=_WHERE
        )
    single = Dataset(header)
    single.file_meta = header.file_meta
    single.NumberOfFrames = 1
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in single:
            del single[keyword]
    single.PixelData = encapsulate([frame])
    single["PixelData"].VR = "OB"
    single["PixelData"].is_undefined_length = True
    return pixel_array(single, decoding_plugin=_plugin(syntax), raw=raw)


def _plugin(syntax: UID) -> str:
    """The decoder to use, or empty for pydicom's own choice.

    The JPEG decoder that pylibjpeg may find is under the GPL: it is not ours to use, even where somebody installed it.
    """
    if syntax not in {*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes}:
        return ""
    try:
        available = get_decoder(syntax).available_plugins
    except NotImplementedError:
        available = ()
    for name in ("gdcm", "pillow"):
        if name in available:
            return name
    raise UnsupportedPayload(f"no decoder for {syntax.name}", where="(0002,0010)")


def coded_size(frame: bytes) -> tuple[int, int] | None:
    """(rows, columns) as the compressed bytes themselves declare; None for a coding that has no header of its own.

    Source: ISO/IEC 10918-1 B.2.2 (JPEG; JPEG-LS alike), ISO/IEC 15444-1 A.5.1 (JPEG 2000; HTJ2K alike).
    """
    if frame[:4] == b"\xff\x4f\xff\x51" and len(frame) >= 24:
        width, height, left, top = struct.unpack_from(">4L", frame, 8)
        return height - top, width - left
    if frame[:2] != b"\xff\xd8":
        return None
    position = 2
    while position + 9 <= len(frame) and frame[position] == 0xFF:
        marker, length = frame[position + 1], int.from_bytes(frame[position + 2 : position + 4], "big")
        if marker in _START_OF_FRAME:
            rows, columns = struct.unpack_from(">2H", frame, position + 5)
            return rows, columns
        position += 1 if marker == 0xFF else 2 + length
    return None
