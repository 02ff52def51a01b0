"""How an imaging report names its images. Source: IHE Radiology TF-2 4.28 (OBX with 113014), TF-2 4.4 (ZDS, IPC)."""

import re

from schemas.codes import DCM, Coding

from .context import Context
from .er7 import Segment
from .groups import Group

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_STUDY_CODES = frozenset({"113014", "110180"})  # DICOM Study; Study Instance UID
_REFERENCES = ("study instance uid", "series instance uid", "sop instance uid", "sr instance uid", "dicom study")


def is_study_reference(obx: Segment, code: Coding, context: Context) -> bool:
    """Whether an OBX points at images rather than saying something about the patient."""
    if (code.system == DCM and code.code in _STUDY_CODES) or code.display.casefold() in _REFERENCES:
        return bool(_uid(obx, context))
    return False


def study_instance_uid(group: Group, codes: list[Coding], context: Context) -> str:
    """The study that was read; empty where the message does not say."""
    for index, segment in group.studies:
        context.ledger.mapped(index)
        found = context.first(segment, 1 if segment.name == "ZDS" else 3)
        if _UID.fullmatch(found) and len(found) <= 64:
            return found
    for result, code in zip(group.results, codes, strict=True):
        names_study = code.code in _STUDY_CODES or code.display.casefold() in ("study instance uid", "dicom study")
        if names_study and (found := _uid(result.obx, context)):
            return found
    return ""


def accession_number(group: Group, obr: Segment, context: Context) -> str:
    """OBR-18 as IHE Radiology has it, else IPC-1; OBR-19 and OBR-20 hold procedure ids there."""
    ipc = next((segment for _, segment in group.studies if segment.name == "IPC"), None)
    return context.token(obr, 18) or (context.token(ipc, 1) if ipc else "")


def _uid(obx: Segment, context: Context) -> str:
    found = context.first(obx, 5)
    return found if _UID.fullmatch(found) and len(found) <= 64 else ""
