"""Stored instances on their way out: as they came, as DICOM JSON, or drawn."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain

from hub.access import Permission
from hub.coercion import coerced_file, coerced_header
from hub.disclosing import Asked, disclosing
from hub.headers import Headers
from schemas.disclosure import Action, Disclosure
from schemas.faults import Internal, NotFound, UnsupportedPayload
from schemas.study import InstanceRecord, StudyCriteria
from schemas.study_life import StudyChange
from storage import headers, studies, study_changes
from storage.database import Database
from storage.headers import KeptHeader
from storage.objects import Objects

from .bulk import locate
from .content import Content
from .display import MEDIA_TYPES, Window, draw, encode, fit
from .part10 import file_meta
from .pixels import frame_bytes, read_frame

THUMBNAIL = 200
OCTETS = "application/octet-stream"


class Images:
    """What the index says of a study's instances, and their bytes. Every one handed out is audited."""

    def __init__(self, database: Database, objects: Objects, headers: Headers | None = None) -> None:
        self._database = database
        self._objects = objects
        self._headers = headers
        # A large image takes hundreds of megabytes while it is drawn.
        self._drawing = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))

    def instances(
        self, disclosure: Disclosure, study_uid: str, series_uid: str = "", sop_uid: str = ""
    ) -> Iterator[Content]:
        """Part 10 files as stored, each opened when its turn comes. Raises NotFound at once where there is none."""
        found = self._find(disclosure, Action.EXPORT, study_uid, series_uid, sop_uid)
        if change := self._moved(disclosure, study_uid):
            return (self._coerced(instance, change) for instance in found)
        return (self._file(instance) for instance in found)

    def metadata(
        self, disclosure: Disclosure, study_uid: str, series_uid: str = "", sop_uid: str = "", *, root: str = ""
    ) -> Iterator[bytes]:
        """The DICOM JSON object of each instance, series by series. Raises NotFound at once where there is none.

        root: the address of the DICOMweb service, in which BulkDataURIs are completed.
        """
        uid = sop_uid or series_uid or study_uid
        with self._opening(disclosure, Action.READ, uid) as asked:
            found = headers.of(asked.tx, disclosure, study_uid, series_uid, sop_uid)
            self._shows(asked, disclosure, study_uid, uid, len(found))
        if missing := [header.instance_id for header in found if header.document is None]:
            self._made().ensure(missing)
            with self._database.read() as tx:
                found = headers.of(tx, disclosure, study_uid, series_uid, sop_uid)
        documents = (_document(header, f"{root}/studies/{study_uid}") for header in found if header.document)
        change = self._moved(disclosure, study_uid)
        return (coerced_header(document, change) for document in documents) if change else documents

    def frames(
        self, disclosure: Disclosure, study_uid: str, series_uid: str, sop_uid: str, numbers: Sequence[int]
    ) -> Iterator[Content]:
        """Frames (from 1) in the encoding in which they are stored, one after another.

        Raises NotFound for a frame beyond the last before the first is read.
        """
        (instance,) = self._find(disclosure, Action.READ, study_uid, series_uid, sop_uid)[:1]
        if not numbers or min(numbers) < 1 or max(numbers) > instance.frames:
            raise NotFound(f"the instance has {instance.frames} frames", where="frame")
        return self._frames(instance, numbers)

    def bulk(self, disclosure: Disclosure, study_uid: str, series_uid: str, sop_uid: str, path: str) -> Content:
        """The value of an element by its place (`7FE00010`, `54000100/1/54001010`) as a BulkDataURI names it."""
        (instance,) = self._find(disclosure, Action.READ, study_uid, series_uid, sop_uid)[:1]
        with self._objects.open(instance.digest) as source:
            found = locate(source, instance.transfer_syntax_uid, path)
        if isinstance(found, bytes):
            return Content(OCTETS, "bulkdata", len(found), iter([found]))
        chunks = self._objects.stream(instance.digest, found.offset, found.length)
        return Content(OCTETS, "bulkdata", found.length, chunks)

    def rendered(
        self,
        disclosure: Disclosure,
        study_uid: str,
        series_uid: str,
        sop_uid: str,
        *,
        frame: int = 1,
        window: Window | None = None,
        viewport: tuple[int, int] | None = None,
        media_type: str = "image/jpeg",
    ) -> bytes:
        """A frame (from 1) as a JPEG or PNG file, as it is meant to be seen or in the window asked for.

        viewport: (width, height) into which it is scaled. Raises NotFound, UnsupportedPayload.
        """
        if media_type not in MEDIA_TYPES:
            raise UnsupportedPayload(f"images are drawn as {' or '.join(MEDIA_TYPES)}", where="Accept")
        (instance,) = self._find(disclosure, Action.READ, study_uid, series_uid, sop_uid)[:1]
        return self._draw(instance, frame, window, viewport, media_type)

    def thumbnail(self, disclosure: Disclosure, study_uid: str, series_uid: str = "", sop_uid: str = "") -> bytes:
        """A small JPEG of the instance, or of the middle one of a series or of a study's first series with images."""
        found = self._find(disclosure, Action.READ, study_uid, series_uid, sop_uid)
        images = [instance for instance in found if instance.rows and instance.columns]
        if not images:
            raise UnsupportedPayload("there is no image to draw", where="(0028,0010)")
        first = [instance for instance in images if instance.series_instance_uid == images[0].series_instance_uid]
        chosen = first[len(first) // 2]
        return self._draw(chosen, (chosen.frames + 1) // 2, None, (THUMBNAIL, THUMBNAIL), "image/jpeg", quality=80)

    def _find(
        self, disclosure: Disclosure, action: Action, study_uid: str, series_uid: str, sop_uid: str
    ) -> tuple[InstanceRecord, ...]:
        uid = sop_uid or series_uid or study_uid
        with self._opening(disclosure, action, uid) as asked:
            found = studies.instances(asked.tx, disclosure, study_uid, series_uid, sop_uid)
            self._shows(asked, disclosure, study_uid, uid, len(found))
        return found

    def _opening(self, disclosure: Disclosure, action: Action, uid: str) -> AbstractContextManager[Asked]:
        return disclosing(self._database, disclosure, action, f"ImagingStudy?uid={uid}", Permission.READ_REPORTS)

    @staticmethod
    def _shows(asked: Asked, disclosure: Disclosure, study_uid: str, uid: str, number: int) -> None:
        known = studies.search(asked.tx, disclosure, StudyCriteria(study_instance_uids=(study_uid,), limit=1)).items
        if not known or not number:
            raise NotFound("no such study, series or instance", where=uid)
        asked.entity = f"ImagingStudy/{known[0].id}"
        asked.detail = f"{number} instances"
        asked.shows([known[0].patient_id])

    def _made(self) -> Headers:
        if self._headers is None:
            raise Internal("this hub makes no headers of instances", where="metadata")
        return self._headers

    def _moved(self, disclosure: Disclosure, study_uid: str) -> StudyChange | None:
        with self._database.read() as tx:
            return study_changes.changed(tx, disclosure, study_uid)

    def _coerced(self, instance: InstanceRecord, change: StudyChange) -> Content:
        with self._objects.open(instance.digest) as source:
            content = coerced_file(source, change)
        media_type = f"application/dicom; transfer-syntax={instance.transfer_syntax_uid}"
        return Content(media_type, f"{instance.sop_instance_uid}.dcm", len(content), iter([content]))

    def _file(self, instance: InstanceRecord) -> Content:
        size = self._objects.size(instance.digest)
        chunks = self._objects.stream(instance.digest)
        first = next(chunks, b"")
        if first[128:132] != b"DICM":
            # It came as a bare data set, or without its preamble; what we hand out is a file by the book.
            first = file_meta(instance)
            size += len(first) - instance.data_set_offset
            chunks = self._objects.stream(instance.digest, instance.data_set_offset)
        media_type = f"application/dicom; transfer-syntax={instance.transfer_syntax_uid}"
        return Content(media_type, f"{instance.sop_instance_uid}.dcm", size, chain([first], chunks), instance.digest)

    def _frames(self, instance: InstanceRecord, numbers: Sequence[int]) -> Iterator[Content]:
        media_type = f"{OCTETS}; transfer-syntax={instance.transfer_syntax_uid}"
        with self._objects.open(instance.digest) as source:
            for number in numbers:
                source.seek(0)
                frame = frame_bytes(source, instance.transfer_syntax_uid, number)
                yield Content(media_type, f"frame-{number}", len(frame), iter([frame]))

    def _draw(
        self,
        instance: InstanceRecord,
        frame: int,
        window: Window | None,
        viewport: tuple[int, int] | None,
        media_type: str,
        quality: int = 90,
    ) -> bytes:
        with self._drawing, self._objects.open(instance.digest) as source:
            pixels, header = read_frame(source, instance.transfer_syntax_uid, frame)
            image = draw(pixels, header, frame, window)
        return encode(fit(image, *viewport) if viewport else image, media_type, quality)


def _document(header: KeptHeader, study: str) -> bytes:
    path = f"{study}/series/{header.series_instance_uid}/instances/{header.sop_instance_uid}/"
    # A quote inside a JSON string is escaped, so this can only be the key itself.
    return headers.unpacked(header.document or b"").replace(b'"BulkDataURI":"', f'"BulkDataURI":"{path}'.encode())
