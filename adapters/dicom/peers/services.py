"""The services, composed: what the listener is given beside C-ECHO and C-STORE."""

import ssl

from adapters.dicom.dimse import Service
from adapters.dicom.dimse.command import C_FIND, C_GET, C_MOVE, N_ACTION, N_CREATE, N_SET
from schemas.network import Archive

from .commitment import Commit
from .find import Find
from .procedure_step import CreateStep, SetStep
from .retrieve import Get, Move
from .sop_classes import FIND, GET, MOVE, PROCEDURE_STEP, STORAGE_COMMITMENT


def services(archive: Archive, *, ae_title: str, context: ssl.SSLContext | None = None) -> tuple[Service, ...]:
    """ae_title: ours. context: for destinations that are reached over TLS."""
    return (
        Service(C_FIND, FIND, Find(archive, ae_title)),
        Service(C_MOVE, MOVE, Move(archive, ae_title, context)),
        Service(C_GET, GET, Get(archive)),
        Service(N_ACTION, frozenset({STORAGE_COMMITMENT}), Commit(archive, ae_title)),
        Service(N_CREATE, frozenset({PROCEDURE_STEP}), CreateStep(archive)),
        Service(N_SET, frozenset({PROCEDURE_STEP}), SetStep(archive)),
    )
