"""Stored instances on their way out: as they came, as DICOM JSON, or as they are seen."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence

from hub.coercion import coerced_file, coerced_header
from hub.headers import Headers
from schemas.disclosure import Action, Disclosure
from schemas.faults import NotFound, UnsupportedPayload
from schemas.study import InstanceRecord
from schemas.study_life import StudyChange
from storage import headers, study_changes
from storage.database import Database
from storage.headers import KeptHeader
from storage.objects import Objects

from .bulk import locate
from .content import Content
from .display import MEDIA_TYPES, Window, draw, encode, fit
from .frames import Frames
from .part10 import file_meta
from .pixels import read_frame

THUMBNAIL = 200
PDF = "application/pdf"
_ENCAPSULATED_PDF, _DOCUMENT = "1.2.840.10008.5.1.4.1.1.104.1", "00420011"


class Images(Frames):
    """What the index says of a study's instances, and their bytes. Every one handed out is audited."""

    def __init__(self, database: Database, objects: Objects, headers: Headers | None = None) -> None:
        super().__init__(database, objects, headers)
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
        choose: Callable[[Sequence[str]], str] = lambda offered: offered[0],
    ) -> Content:
        """A frame (from 1) as a JPEG or PNG file, as it is meant to be seen or in the window asked for; a PDF as it is.

        viewport: (width, height) into which it is scaled. choose: the media type of those that the instance can be
        rendered in (PS3.18 table 8.7.4-1). Raises NotFound, UnsupportedPayload, and what `choose` raises.
        """
        (instance,) = self._find(disclosure, Action.READ, study_uid, series_uid, sop_uid)[:1]
        if instance.sop_class_uid == _ENCAPSULATED_PDF:
            choose((PDF,))
            if frame != 1:
                raise NotFound("the instance has no frames", where="frame")
            return self._pdf(instance)
        media_type = choose(tuple(MEDIA_TYPES))
        return _picture(self._draw(instance, frame, window, viewport, media_type), media_type)

    def _pdf(self, instance: InstanceRecord) -> Content:
        with self._objects.open(instance.digest) as source:
            place = locate(source, instance.transfer_syntax_uid, _DOCUMENT)
        body: Iterator[bytes]
        if isinstance(place, bytes):
            size, body = len(place), iter([place])
        else:
            size, body = place.length, self._objects.stream(instance.digest, place.offset, place.length)
        return Content(PDF, f"{instance.sop_instance_uid}.pdf", size, body, instance.digest)

    def thumbnail(self, disclosure: Disclosure, study_uid: str, series_uid: str = "", sop_uid: str = "") -> Content:
        """A small JPEG of the instance, or of the middle one of a series or of a study's first series with images."""
        found = self._find(disclosure, Action.READ, study_uid, series_uid, sop_uid)
        images = [instance for instance in found if instance.rows and instance.columns]
        if not images:
            raise UnsupportedPayload("there is no image to draw", where="(0028,0010)")
        first = [instance for instance in images if instance.series_instance_uid == images[0].series_instance_uid]
        chosen = first[len(first) // 2]
        size = (THUMBNAIL, THUMBNAIL)
        return _picture(
            self._draw(chosen, (chosen.frames + 1) // 2, None, size, "image/jpeg", quality=80), "image/jpeg"
        )

    def _moved(self, disclosure: Disclosure, study_uid: str) -> StudyChange | None:
        with self._database.read() as tx:
            return study_changes.changed(tx, disclosure, study_uid)

    def _coerced(self, instance: InstanceRecord, change: StudyChange) -> Content:
        with self._objects.open(instance.digest) as source:
            content = coerced_file(source, change)
        media_type = f"application/dicom; transfer-syntax={instance.transfer_syntax_uid}"
        return Content(media_type, f"{instance.sop_instance_uid}.dcm", len(content), iter([content]))

    def _file(self, instance: InstanceRecord) -> Content:
        chunks, head = self._objects.stream(instance.digest), b""
        if chunks.peek(132)[128:132] != b"DICM":
            # It came as a bare data set, or without its preamble; what we hand out is a file by the book.
            chunks.close()
            chunks, head = self._objects.stream(instance.digest, instance.data_set_offset), file_meta(instance)
        media_type = f"application/dicom; transfer-syntax={instance.transfer_syntax_uid}"
        size = len(head) + chunks.left
        return Content(media_type, f"{instance.sop_instance_uid}.dcm", size, chunks, instance.digest, head=head)

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


def _picture(image: bytes, media_type: str) -> Content:
    return Content(media_type, media_type.replace("/", "."), len(image), iter([image]))


def _document(header: KeptHeader, study: str) -> bytes:
    path = f"{study}/series/{header.series_instance_uid}/instances/{header.sop_instance_uid}/"
    # A quote inside a JSON string is escaped, so this can only be the key itself.
    return headers.unpacked(header.document or b"").replace(b'"BulkDataURI":"', f'"BulkDataURI":"{path}'.encode())
