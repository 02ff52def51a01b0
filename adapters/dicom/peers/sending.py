"""Stored instances on their way to a peer: as they are where it takes them so, else uncompressed. PS3.4 B and C."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

from pydicom.uid import ImplicitVRLittleEndian

from adapters.dicom.dimse import Context
from adapters.dicom.dimse.command import C_STORE, Command, Value, number
from schemas.faults import Fault, UnsupportedPayload
from schemas.network import Archive
from schemas.study import InstanceRecord

from .transcoding import TARGETS, uncompressed

# The peer's side of an association: the contexts on which it takes a class, and how it is asked.
ContextsFor = Callable[[str], Iterable[Context]]
Ask = Callable[[Context, Mapping[str, Value], BinaryIO], Command]


class BrokenOff(Exception):
    """The object could not be read on while it was being sent: the association is of no use any more."""


class Sending:
    """Sends instances by C-STORE on an association. more: further elements of the command (the move's originator)."""

    def __init__(self, archive: Archive, contexts_for: ContextsFor, ask: Ask, more: Mapping[str, Value]) -> None:
        self._archive = archive
        self._contexts_for = contexts_for
        self._ask = ask
        self._more = more

    def send(self, instance: InstanceRecord) -> int:
        """The peer's status. Raises Fault where the instance cannot be had as the peer would take it."""
        context = self._context(instance)
        with self._archive.open(instance) as stored:
            if context.transfer_syntax == instance.transfer_syntax_uid:
                stored.seek(instance.data_set_offset)
                return self._store(context, instance, stored)
            target = context.transfer_syntax
            with uncompressed(stored, instance, target, lambda: self._archive.decoded(instance)) as data:
                return self._store(context, instance, data)

    def _context(self, instance: InstanceRecord) -> Context:
        taken = {each.transfer_syntax: each for each in self._contexts_for(instance.sop_class_uid)}
        for syntax in (instance.transfer_syntax_uid, *TARGETS):
            if syntax in taken:
                return taken[syntax]
        raise UnsupportedPayload("the peer takes this class or transfer syntax in no form", where="(0008,0016)")

    def _store(self, context: Context, instance: InstanceRecord, data: BinaryIO) -> int:
        command: dict[str, Value] = {
            "CommandField": C_STORE,
            "AffectedSOPClassUID": instance.sop_class_uid,
            "AffectedSOPInstanceUID": instance.sop_instance_uid,
            "Priority": 0,
            **self._more,
        }
        try:
            return number(self._ask(context, command, data), "Status")
        except (Fault, OSError) as fault:
            raise BrokenOff from fault


def proposals(
    instances: Sequence[InstanceRecord], most: int
) -> Iterator[tuple[list[tuple[str, tuple[str, ...]]], int]]:
    """(what to propose, for how many of the instances) pairs: as many instances as fit into one association.

    Each class in each of its own transfer syntaxes, and once uncompressed.
    """
    wanted: dict[tuple[str, tuple[str, ...]], None] = {}
    count = 0
    for each in instances:
        needed = dict.fromkeys([(each.sop_class_uid, (each.transfer_syntax_uid,)), (each.sop_class_uid, _PLAIN)])
        if len(wanted | needed) > most:
            yield list(wanted), count
            wanted, count = {}, 0
        wanted |= needed
        count += 1
    if count:
        yield list(wanted), count


# An implicit one must always be among those proposed (PS3.5 10.1).
_PLAIN = (TARGETS[0], str(ImplicitVRLittleEndian))
