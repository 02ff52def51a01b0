"""What a reader measured on images of any institution: it belongs to their study, and to the reader's institution."""

import struct
import warnings
from dataclasses import replace
from typing import BinaryIO

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage, EnhancedSRStorage

from hub.access import Permission, allowed
from schemas.delivery import Format, Origin
from schemas.disclosure import Disclosure
from schemas.faults import Forbidden, IdentityConflict, NotFound
from schemas.identifiers import AUTHORITY
from schemas.study import StudyCriteria, StudyRecord
from storage import studies
from storage.database import Database

# What holds measurements (PS3.16 TID 1500), whatever viewer wrote it.
ANNOTATIONS = frozenset({EnhancedSRStorage, ComprehensiveSRStorage, Comprehensive3DSRStorage})
_TAGS = ["SOPClassUID", "StudyInstanceUID", "PatientID", "IssuerOfPatientID"]
# What pydicom raises at bytes that are none of a data set; the reader says afterwards what is wrong with them.
_UNREADABLE = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, EOFError, OSError),
    *(struct.error, InvalidDicomError, MemoryError),
)


def measured_on(database: Database, disclosure: Disclosure, kind: Format, content: BinaryIO, origin: Origin) -> Origin:
    """The origin of what a person stores; for annotations, with the authority whose number the study's patient has.

    A viewer writes the Patient ID as it found it with the images, hence as the institution that made them knows the
    person. content: left at its start. Raises Forbidden where a role may store annotations alone and this is none,
    NotFound where they are of no study that the person may see, IdentityConflict where they name another patient.
    """
    start = content.tell()
    header = _header(content) if kind is Format.DICOM else Dataset()
    content.seek(start)
    uploads = allowed(disclosure.principal, Permission.UPLOAD)
    if header.get("SOPClassUID") not in ANNOTATIONS:
        if uploads:
            return origin
        raise Forbidden("this role stores what was measured on images, and nothing else", where="(0008,0016)")
    study = _study(database, disclosure, str(header.get("StudyInstanceUID") or ""))
    if study is None and uploads:
        return origin
    if study is None:
        raise NotFound("no such study to measure on", where="(0020,000D)")
    if header.get("IssuerOfPatientID"):
        return origin
    key = study.study.patient.key
    if str(header.get("PatientID") or "") != key.value:
        if uploads:
            return origin
        raise IdentityConflict("the study is another patient's", where="(0010,0020)")
    return replace(origin, source=replace(origin.source, authority=key.system.removeprefix(AUTHORITY)))


def _header(content: BinaryIO) -> Dataset:
    try:
        with warnings.catch_warnings():
            # The reader says in its own words what it finds odd.
            warnings.simplefilter("ignore")
            return dcmread(content, stop_before_pixels=True, force=True, specific_tags=list(_TAGS))
    except _UNREADABLE:
        return Dataset()


def _study(database: Database, disclosure: Disclosure, uid: str) -> StudyRecord | None:
    if not uid:
        return None
    with database.read() as tx:
        found = studies.search(tx, disclosure, StudyCriteria(study_instance_uids=(uid,), limit=1)).items
    return found[0] if found else None
