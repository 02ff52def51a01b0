"""The services, composed: what the listener is given beside C-ECHO and C-STORE."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from adapters.dicom.dimse import Serve, Service
from adapters.dicom.dimse.command import C_FIND, C_GET, C_MOVE, N_ACTION, N_CREATE, N_SET
from schemas.network import Archive

from .commitment import Commit
from .find import Find
from .procedure_step import CreateStep, SetStep
from .retrieve import Get, Move
from .sop_classes import FIND, GET, MOVE, PROCEDURE_STEP, STORAGE_COMMITMENT


@dataclass(frozen=True, slots=True)
class Offered:
    """A service before it is composed; the conformance statement is made of these too.

    make: from the archive, our AE title and the TLS context for what we connect to.
    """

    command: str
    field: int
    sop_classes: frozenset[str]
    make: Callable[[Archive, str, ssl.SSLContext | None], Serve]


OFFERED = (
    Offered("C-FIND", C_FIND, FIND, lambda archive, title, _: Find(archive, title)),
    Offered("C-MOVE", C_MOVE, MOVE, Move),
    Offered("C-GET", C_GET, GET, lambda archive, _, __: Get(archive)),
    Offered("N-ACTION", N_ACTION, frozenset({STORAGE_COMMITMENT}), lambda archive, title, _: Commit(archive, title)),
    Offered("N-CREATE", N_CREATE, frozenset({PROCEDURE_STEP}), lambda archive, _, __: CreateStep(archive)),
    Offered("N-SET", N_SET, frozenset({PROCEDURE_STEP}), lambda archive, _, __: SetStep(archive)),
)


def services(archive: Archive, *, ae_title: str, context: ssl.SSLContext | None = None) -> tuple[Service, ...]:
    """ae_title: ours. context: for destinations that are reached over TLS."""
    return tuple(Service(each.field, each.sop_classes, each.make(archive, ae_title, context)) for each in OFFERED)
