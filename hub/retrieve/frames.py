"""Frames and bulk data of stored instances. Source: DICOM PS3.18 sections 8.7.3.3, 10.4.1.1.5 and 10.4.1.1.6."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from schemas.disclosure import Disclosure
from schemas.faults import NotFound, UnsupportedPayload
from schemas.header import Frames as Table
from storage import headers
from storage.frames import Located

from .bulk import locate
from .content import Content
from .opening import Opening
from .pixels import frame_bytes, native_frame

OCTETS = "application/octet-stream"
ANY = "*"
# Their frames are the same bytes.
_LITTLE = frozenset({str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian), "1.2.840.10008.1.2.1.99"})


class Frames(Opening):
    """Single frames, found where they were noted to lie, and values that the metadata leave out."""

    def frames(
        self,
        disclosure: Disclosure,
        study_uid: str,
        series_uid: str,
        sop_uid: str,
        numbers: Sequence[int],
        *,
        syntax: str = ANY,
    ) -> Iterator[Content]:
        """Frames (from 1), one after another. syntax: ANY as they are stored, else the one they are wanted in.

        Raises NotFound for a frame beyond the last before the first is read; UnsupportedPayload where the frames are
        stored in another syntax and it is none that the hub writes, or no decoder is there.
        """
        found = self._locate(disclosure, study_uid, series_uid, sop_uid, f"{len(numbers)} frames")
        if not numbers or min(numbers) < 1 or max(numbers) > found.number:
            raise NotFound(f"the instance has {found.number} frames", where="frame")
        stored = found.transfer_syntax_uid
        little = stored in _LITTLE and syntax in _LITTLE
        if syntax in {ANY, stored} or little:
            named = str(ExplicitVRLittleEndian) if stored in _LITTLE else stored
            return self._stored(disclosure, found, numbers, f"{OCTETS}; transfer-syntax={named}")
        if syntax not in {*_LITTLE, str(ExplicitVRBigEndian)}:
            raise UnsupportedPayload("the hub decodes frames, and encodes none", where="transfer-syntax")
        decoded = self._decoded(found, numbers, syntax)
        # The first at once, so that what cannot be decoded is refused and not broken off.
        return chain([next(decoded)], decoded)

    def bulk(
        self, disclosure: Disclosure, study_uid: str, series_uid: str, sop_uid: str, path: str
    ) -> Iterator[Content]:
        """The value of an element by its place (`7FE00010`, `54000100/1/54001010`) as a BulkDataURI names it.

        Compressed pixel data are as many contents as there are frames, anything else is one.
        """
        found = self._locate(disclosure, study_uid, series_uid, sop_uid, "bulk data")
        if path == "7FE00010" and UID(found.transfer_syntax_uid).is_encapsulated:
            numbers, syntax = range(1, found.number + 1), found.transfer_syntax_uid
            return self._stored(disclosure, found, numbers, f"{OCTETS}; transfer-syntax={syntax}")
        with self._objects.open(found.digest) as source:
            place = locate(source, found.transfer_syntax_uid, path)
        if isinstance(place, bytes):
            return iter([Content(OCTETS, "bulkdata", len(place), iter([place]), found.digest)])
        start = place.offset

        def part(offset: int, length: int) -> Iterator[bytes]:
            return self._objects.stream(found.digest, start + offset, length)

        return iter([Content(OCTETS, "bulkdata", place.length, part(0, place.length), found.digest, part)])

    def _stored(
        self, disclosure: Disclosure, found: Located, numbers: Sequence[int], media_type: str
    ) -> Iterator[Content]:
        table = found.frames
        if table is None:
            self._made().ensure([found.instance_id])
            with self._database.read() as tx:
                table = headers.frames(tx, disclosure, found.instance_id)
        if table and max(numbers) <= len(table):
            return self._noted(found, numbers, table, media_type)
        return self._searched(found, numbers, media_type)

    def _noted(self, found: Located, numbers: Sequence[int], table: Table, media_type: str) -> Iterator[Content]:
        for number in numbers:
            stored = self._objects.stream(found.digest, *table.place(number))
            frame: Iterator[bytes] = stored
            size = stored.left
            if table.wrapped:
                content = table.content(b"".join(stored))
                frame, size = iter([content]), len(content)
            yield Content(media_type, f"frame-{number}", size, frame, found.digest)

    def _searched(self, found: Located, numbers: Sequence[int], media_type: str) -> Iterator[Content]:
        with self._objects.open(found.digest) as source:
            for number in numbers:
                source.seek(0)
                frame = frame_bytes(source, found.transfer_syntax_uid, number)
                yield Content(media_type, f"frame-{number}", len(frame), iter([frame]), found.digest)

    def _decoded(self, found: Located, numbers: Sequence[int], syntax: str) -> Iterator[Content]:
        big = syntax == ExplicitVRBigEndian
        media_type = f"{OCTETS}; transfer-syntax={syntax}"
        with self._objects.open(found.digest) as source:
            for number in numbers:
                source.seek(0)
                pixels = native_frame(source, found.transfer_syntax_uid, number)
                frame = pixels.astype(pixels.dtype.newbyteorder(">" if big else "<"), copy=False)
                content = np.ascontiguousarray(frame).tobytes()
                yield Content(media_type, f"frame-{number}", len(content), iter([content]))
