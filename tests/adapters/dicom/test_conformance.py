"""The conformance statement says what associations do."""

import os
import re
import subprocess
import sys
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)
from pynetdicom import AE, build_context, build_role
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind as PatientRoot,
)

from adapters.dicom.conformance import statement
from adapters.dicom.status import STATUS
from hub import app
from tests.imaging import ImagingHub

from .peers.conftest import allow
from .peers.test_find import find, sent


def rows(text: str, *head: str) -> list[list[str]]:
    """The rows of every table that has this head."""
    found: list[list[str]] = []
    reading = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells == list(head):
            reading = True
        elif reading and not cells:
            reading = False
        elif reading and set(line) - set("| -"):
            found.append(cells)
    return found


TEXT = statement(app.VERSION, "DXHUB")
OFFERED = rows(TEXT, "SOP class", "UID", "Operation", "SCU", "SCP")


def test_the_command_prints_it() -> None:
    command = [sys.executable, "-m", "hub", "conformance"]
    environment = os.environ | {"DXHUB_DICOM_AE_TITLE": "DISTRICT"}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert printed.stdout == statement(app.VERSION, "DISTRICT")


def test_a_vendor_reads_names_and_when_each_status_is_given() -> None:
    assert all(name != uid for name, uid in rows(TEXT, "SOP class", "UID"))
    given = dict(row[:2] for row in rows(TEXT, "Status of C-STORE", "When"))
    assert set(given) == {"0000", *(f"{code:04X}" for code in STATUS.values())}
    assert all(" " in when for when in given.values())


def test_every_class_that_it_names_is_accepted_and_others_are_not(small_hub: ImagingHub) -> None:
    named = [uid for _, uid, *_ in OFFERED if uid] + [uid for _, uid in rows(TEXT, "SOP class", "UID")][:60]
    assert len(named) > 60
    strangers = ["1.2.840.10008.5.1.4.31", "1.2.840.10008.1.20.2", "1.2.840.10008.5.1.1.9"]
    ae = AE("CHC01")
    for uid in dict.fromkeys([*named, *strangers]):
        ae.add_requested_context(uid, [ImplicitVRLittleEndian])
    association = ae.associate("127.0.0.1", small_hub.listener.port)
    accepted = {str(context.abstract_syntax) for context in association.accepted_contexts}
    association.release()
    assert accepted == set(named)


def test_transfer_syntaxes_and_roles_are_those_that_it_names(small_hub: ImagingHub) -> None:
    native = {uid for _, uid in rows(TEXT, "Transfer syntax", "UID")}
    refused = {uid for _, uid in rows(TEXT, "Transfer syntax not taken", "UID")}
    study_root_find = next(uid for _, uid, operation, *_ in OFFERED if operation == "C-FIND")
    proposed = [*native, JPEGBaseline8Bit, HTJ2KLossless]
    ae = AE("CHC01")
    ae.requested_contexts = [
        context for uid in proposed for context in _contexts(study_root_find, uid) + _contexts(CTImageStorage, uid)
    ]
    association = ae.associate(
        "127.0.0.1", small_hub.listener.port, ext_neg=[build_role(CTImageStorage, scu_role=True, scp_role=True)]
    )
    accepted = association.accepted_contexts
    found = {str(each.transfer_syntax[0]) for each in accepted if each.abstract_syntax == study_root_find}
    stored = {str(each.transfer_syntax[0]) for each in accepted if each.abstract_syntax == CTImageStorage}
    roles = {(each.as_scu, each.as_scp) for each in accepted if each.abstract_syntax == CTImageStorage}
    association.release()
    assert found == native
    assert stored == {str(uid) for uid in proposed}
    assert roles == {(True, True)}
    assert not refused & stored
    assert str(ExplicitVRLittleEndian) in native


def _contexts(abstract: str, transfer: str) -> list[PresentationContext]:
    return [build_context(abstract, [transfer])]


def test_every_key_that_it_names_is_answered(small_hub: ImagingHub, tmp_path: Path) -> None:
    keys = rows(TEXT, "Tag", "Attribute", "Level", "Key", "Matching")
    required = {"StudyDate", "StudyTime", "AccessionNumber", "PatientName", "PatientID", "StudyID", "StudyInstanceUID"}
    assert required <= {name for _, name, level, *_ in keys if level in {"PATIENT", "STUDY"}}
    assert {name for _, name, level, kind, _ in keys if kind == "U"} == {
        "PatientID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SOPInstanceUID",
    }
    allow(small_hub, "CHC01")
    ds = sent(small_hub, tmp_path)
    asked = Dataset()
    for _, name, *_ in keys:
        setattr(asked, name, ds.get(name) if name in {"StudyInstanceUID", "SeriesInstanceUID"} else None)
    asked.QueryRetrieveLevel = "IMAGE"
    status, (answer,) = find(small_hub, asked, model=PatientRoot)
    assert status == 0x0000
    assert {name for _, name, *_ in keys} <= set(answer.dir())
