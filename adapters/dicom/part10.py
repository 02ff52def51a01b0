"""DICOM files to canonical values: one Instance, one Report. Source: DICOM PS3.10, PS3.5, PS3.3.

Pixel data are never loaded: a file of a gigabyte costs its header.
"""

import hashlib
import re
from typing import BinaryIO

from adapters.ecg.dicom_waveform import SOP_CLASSES as ECG_WAVEFORMS
from schemas.delivery import Origin, Reading
from schemas.faults import InvalidPayload, UnsupportedPayload
from schemas.patient import Patient
from schemas.study import Instance, Series, Study

from . import documents, metadata
from .header import Header
from .key_objects import selection
from .meta import Encoding, encoding, inflate
from .structure import PIXEL_DATA, PIXELS, place, scan
from .subject import patient, person_name

SOP_CLASS, SOP_INSTANCE = 0x00080016, 0x00080018
STUDY_INSTANCE, SERIES_INSTANCE = 0x0020000D, 0x0020000E
ROWS, COLUMNS = 0x00280010, 0x00280011
# Where pixels may be: in the instance, or at an address (0028,7FE0).
PIXEL_SOURCES = PIXELS | {0x00287FE0}
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"

_CHUNK = 1 << 20
# Empty components and leading zeros occur in the field; nothing of ours is named after a UID, so they do no harm.
_UID = re.compile(r"[0-9][0-9.]{0,63}")


def read(content: BinaryIO, origin: Origin) -> Reading:
    """What a DICOM file says. Raises Faults only."""
    found = encoding(content)
    if found.sop_class_uid == MEDIA_DIRECTORY:
        raise UnsupportedPayload("a media directory points at instances and is none", where="(0002,0002)")
    digest, end = _digest(content, found.offset)
    if not found.deflated:
        return _read(content, found, digest, found.offset, end, origin)
    with inflate(content, found.offset) as inflated:
        return _read(inflated, found, digest, 0, inflated.tell(), origin)


def _read(source: BinaryIO, found: Encoding, digest: str, start: int, end: int, origin: Origin) -> Reading:
    dataset = scan(source, start, end, explicit=found.explicit, little=found.little)
    header = Header.of(dataset, origin.source.charset)
    uids = {tag: _uid(header, tag) for tag in (SOP_CLASS, SOP_INSTANCE, STUDY_INSTANCE, SERIES_INSTANCE)}
    _check_promised(found, uids)
    _check_whole(header)
    subject = patient(header, origin, recording=uids[SOP_CLASS] in ECG_WAVEFORMS)
    instance = _instance(header, uids, subject, found, digest)
    # The header as DICOM JSON is made afterwards: whoever sends does not wait for it.
    return documents.reading(source, header, instance, origin, metadata.outline(header))


def _digest(content: BinaryIO, offset: int) -> tuple[str, int]:
    """SHA-256 over the data set as it was sent, and where it ends."""
    total = hashlib.sha256()
    content.seek(offset)
    while piece := content.read(_CHUNK):
        total.update(piece)
    return total.hexdigest(), content.tell()


def _uid(header: Header, tag: int) -> str:
    uid = header.text(tag)
    if not uid:
        raise InvalidPayload("a unique identifier is missing", where=place(tag))
    if not _UID.fullmatch(uid):
        raise InvalidPayload("not a unique identifier (digits and full stops, at most 64)", where=place(tag))
    return uid


def _check_promised(found: Encoding, uids: dict[int, str]) -> None:
    """The file meta, which repeats what a C-STORE request named, must mean this data set.

    Else a sender would take an instance for stored that nobody will ever find.
    """
    if found.sop_instance_uid and found.sop_instance_uid != uids[SOP_INSTANCE]:
        raise InvalidPayload("sent under another SOP Instance UID than it bears", where="(0008,0018)")
    if found.sop_class_uid and found.sop_class_uid != uids[SOP_CLASS]:
        raise InvalidPayload("sent under another SOP Class UID than it bears", where="(0008,0016)")


def _check_whole(header: Header) -> None:
    """An image has its pixels: a file that was cut between two elements shows in nothing else."""
    if header.integer(ROWS) and header.integer(COLUMNS) and not PIXEL_SOURCES & header.dataset.elements.keys():
        raise InvalidPayload("describes an image and ends before its pixel data", where=place(PIXEL_DATA))


def _instance(header: Header, uids: dict[int, str], subject: Patient, found: Encoding, digest: str) -> Instance:
    study = Study(
        study_instance_uid=uids[STUDY_INSTANCE],
        patient=subject,
        study_date=header.text(0x00080020),
        study_time=header.text(0x00080030),
        accession_number=header.text(0x00080050),
        study_id=header.text(0x00200010),
        description=header.text(0x00081030),
        referring_physician=person_name(header.text(0x00080090)).text,
    )
    series = Series(
        series_instance_uid=uids[SERIES_INSTANCE],
        modality=header.text(0x00080060),
        series_number=_counted(header, 0x00200011),
        description=header.text(0x0008103E),
        body_part=header.text(0x00180015),
        laterality=header.text(0x00200060),
    )
    return Instance(
        study=study,
        series=series,
        sop_instance_uid=uids[SOP_INSTANCE],
        sop_class_uid=uids[SOP_CLASS],
        transfer_syntax_uid=found.transfer_syntax_uid,
        data_set_digest=digest,
        data_set_offset=found.offset,
        instance_number=_counted(header, 0x00200013),
        rows=_counted(header, ROWS) or 0,
        columns=_counted(header, COLUMNS) or 0,
        frames=max(_counted(header, 0x00280008) or 1, 1),
        key_objects=selection(header, uids[SOP_CLASS]),
    )


def _counted(header: Header, tag: int) -> int | None:
    """A whole number that any database column holds; None for what is none."""
    number = header.integer(tag)
    return number if number is not None and abs(number) < 1 << 31 else None
