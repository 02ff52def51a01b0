"""Which presentation contexts an association gets. Source: DICOM PS3.8 section 9.3.3, PS3.7 annex D.3.3.4."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pynetdicom import sop_class

from adapters.dicom.meta import REFERENCED

from .pdu import Answered, AssociateRequest, Proposed

_ACCEPTED, _NO_ABSTRACT, _NO_TRANSFER = 0, 3, 4
# What we read and write as queries, lists and the like.
NATIVE = frozenset(
    map(str, (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian))
)
VERIFICATION = "1.2.840.10008.1.1"
_STORAGE = frozenset(map(str, sop_class._STORAGE_CLASSES.values()))


@dataclass(frozen=True, slots=True)
class Context:
    """A presentation context that both have agreed on. number: its id.

    peer_is_scp: whether the peer takes requests on it, as it may have asked for by role selection (C-GET).
    """

    number: int
    abstract_syntax: str
    transfer_syntax: str
    peer_is_scp: bool = False


@lru_cache(4096)
def is_storage(uid: str) -> bool:
    """Whether objects come under this class: a storage class of the standard, or one that it does not know.

    Private and future classes are kept too; what the standard knows as something else is something else.
    """
    if uid in _STORAGE:
        return True
    known = UID(uid)
    # pynetdicom names some classes otherwise than PS3.6 does (worklists), and lacks the retired ones.
    kept = known.name == uid or ("Storage" in known.name and known.name.split(" ")[1] not in {"Commitment", "Print"})
    other = hasattr(sop_class, known.keyword) or not kept
    return uid.startswith(tuple("012")) and (known.is_private or not other)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What an acceptor answers, and what holds from then on."""

    contexts: Mapping[int, Context]
    answers: tuple[Answered, ...]
    roles: Mapping[str, tuple[bool, bool]]


def agree(request: AssociateRequest, served: Collection[str]) -> Agreement:
    """What of a request is taken. served: the classes of the services, storage apart."""
    answers = tuple(_answer(each, served) for each in request.contexts)
    accepted = {each.number: each.transfer_syntax for each in answers if each.result == _ACCEPTED}
    # A peer may be both towards us: it stores here, and takes what it asks for.
    roles = {
        uid: role
        for uid, role in request.roles.items()
        if is_storage(uid) and any(each.abstract_syntax == uid and each.number in accepted for each in request.contexts)
    }
    contexts = {
        each.number: Context(
            each.number, each.abstract_syntax, accepted[each.number], roles.get(each.abstract_syntax, (True, False))[1]
        )
        for each in request.contexts
        if each.number in accepted
    }
    return Agreement(contexts, answers, roles)


def _answer(proposed: Proposed, served: Collection[str]) -> Answered:
    number, abstract, syntaxes = proposed.number, proposed.abstract_syntax, proposed.transfer_syntaxes
    if abstract in served:
        taken = [each for each in syntaxes if each in NATIVE]
        return Answered(number, _ACCEPTED if taken else _NO_TRANSFER, (taken or syntaxes)[0])
    if not is_storage(abstract):
        return Answered(number, _NO_ABSTRACT, syntaxes[0])
    # Pixels that lie elsewhere are taken only from who offers nothing better: it is then told, with the reason.
    kept = [each for each in syntaxes if each not in REFERENCED]
    return Answered(number, _ACCEPTED, (kept or syntaxes)[0])
