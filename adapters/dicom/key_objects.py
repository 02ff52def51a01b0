"""Key object selections: instances that somebody points out, or takes back.

Source: DICOM PS3.3 A.35.4, C.17.6; PS3.16 TID 2010, CID 7010, CID 7011; IHE RAD TF-2 4.66 (Imaging Object Change
Management).
"""

from collections.abc import Iterator

from schemas.faults import InvalidPayload
from schemas.study import KeyObjects, Reference

from .header import Header

KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"
CONCEPT_NAME, CODE_VALUE, CODING_SCHEME = 0x0040A043, 0x00080100, 0x00080102
EVIDENCE, REFERENCED_SERIES, REFERENCED_INSTANCES = 0x0040A375, 0x00081115, 0x00081199
STUDY_INSTANCE, REFERENCED_INSTANCE = 0x0020000D, 0x00081155


def selection(header: Header, sop_class_uid: str) -> KeyObjects | None:
    """What the instance selects; None for any other kind of instance.

    Raises InvalidPayload for a rejection that names nothing: its sender would believe that something was taken back.
    """
    if sop_class_uid != KEY_OBJECT_SELECTION:
        return None
    title = next((_code(item) for item in header.items(CONCEPT_NAME)), "")
    found = KeyObjects(title, tuple(dict.fromkeys(_references(header))))
    if found.rejection and not found.references:
        raise InvalidPayload("a rejection note names no instance", where="(0040,A375)")
    return found


def _code(item: Header) -> str:
    return item.text(CODE_VALUE) if item.text(CODING_SCHEME) == "DCM" else ""


def _references(header: Header) -> Iterator[Reference]:
    for study in header.items(EVIDENCE):
        for series in study.items(REFERENCED_SERIES):
            for instance in series.items(REFERENCED_INSTANCES):
                if uid := instance.text(REFERENCED_INSTANCE):
                    yield Reference(study.text(STUDY_INSTANCE), uid)
