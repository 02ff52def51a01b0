"""The segments of a result message as its order groups: which patient, which order, which results, whose notes.

Groups are found by what stands before what, not by the standard's grammar, which half of the senders do not keep.
Source: HL7 v2 chapters 7.3.1 (ORU^R01, orders first) and 7.3.7 (OUL^R22, specimens first).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from .er7 import Message, Segment

Placed = tuple[int, Segment]  # a segment with its position in the message


@dataclass(slots=True)
class Result:
    """An OBX and the NTE that follow it."""

    index: int
    obx: Segment
    notes: list[Placed] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """An order and its results. `obr` is None for results that came without an order.

    of_specimen: results that speak of the specimen (its volume, its colour) rather than of what was ordered.
    """

    pid: Placed | None
    orc: Placed | None = None
    obr: Placed | None = None
    notes: list[Placed] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    specimens: list[Placed] = field(default_factory=list)
    studies: list[Placed] = field(default_factory=list)  # ZDS, IPC
    of_specimen: list[Result] = field(default_factory=list)


@dataclass(slots=True)
class _Walk:
    groups: list[Group] = field(default_factory=list)
    pid: Placed | None = None
    orc: Placed | None = None
    group: Group | None = None
    notes: list[Placed] | None = None  # of what the next NTE belongs to
    specimens: list[Placed] = field(default_factory=list)  # under which the next orders stand
    of_specimen: list[Result] = field(default_factory=list)

    def current(self) -> Group:
        """The group in hand; a new one without an order where results come before any."""
        if self.group is None:
            self.open(None)
        assert self.group is not None
        return self.group

    def open(self, obr: Placed | None) -> None:
        self.group = Group(self.pid, self.orc, obr)
        self.groups.append(self.group)
        self.notes = self.group.notes


def order_groups(message: Message) -> list[Group]:
    """The order groups in the order of the message."""
    walk = _Walk()
    for index, segment in enumerate(message.segments):
        step = _STEPS.get(segment.name)
        if step:
            step(walk, (index, segment))
    return walk.groups


def _pid(walk: _Walk, placed: Placed) -> None:
    walk.pid, walk.orc, walk.group, walk.notes = placed, None, None, None


def _orc(walk: _Walk, placed: Placed) -> None:
    walk.orc, walk.group, walk.notes = placed, None, None


def _obr(walk: _Walk, placed: Placed) -> None:
    walk.open(placed)


def _obx(walk: _Walk, placed: Placed) -> None:
    result = Result(*placed)
    walk.current().results.append(result)
    walk.notes = result.notes


def _nte(walk: _Walk, placed: Placed) -> None:
    if walk.notes is not None:
        walk.notes.append(placed)


def _spm(walk: _Walk, placed: Placed) -> None:
    # Results behind a specimen still belong to the order: a reader that closes the group here loses them.
    if walk.group:
        walk.group.specimens.append(placed)
        walk.notes = walk.group.notes


def _study(walk: _Walk, placed: Placed) -> None:
    if walk.group:
        walk.group.studies.append(placed)


def _visit(walk: _Walk, _: Placed) -> None:
    walk.notes = None


_STEPS: dict[str, Callable[[_Walk, Placed], None]] = {
    "PID": _pid,
    "ORC": _orc,
    "OBR": _obr,
    "OBX": _obx,
    "NTE": _nte,
    "SPM": _spm,
    "ZDS": _study,
    "IPC": _study,
    "PV1": _visit,
    "NK1": _visit,
}


def specimen_groups(message: Message) -> list[Group]:
    """The order groups of a message in which orders stand under specimens; as `order_groups` where they do not."""
    first = next((segment.name for segment in message.segments if segment.name in _LEADING), "OBR")
    if first == "OBR":
        return order_groups(message)
    walk = _Walk()
    for index, segment in enumerate(message.segments):
        step = _SPECIMEN_STEPS.get(segment.name)
        if step:
            step(walk, (index, segment))
    _close_specimen(walk)
    return walk.groups


def _close_specimen(walk: _Walk) -> None:
    """Results behind a specimen without any order are what the message is about: a group of their own."""
    if walk.of_specimen:
        group = Group(walk.pid, results=walk.of_specimen, specimens=walk.specimens)
        walk.groups.append(group)
    walk.specimens, walk.of_specimen = [], []
    walk.orc, walk.group, walk.notes = None, None, None


def _pid_of_specimens(walk: _Walk, placed: Placed) -> None:
    _close_specimen(walk)
    _pid(walk, placed)


def _specimen(walk: _Walk, placed: Placed) -> None:
    _close_specimen(walk)
    walk.specimens = [placed]


def _container(walk: _Walk, placed: Placed) -> None:
    # A specimen may lie in several containers, each with orders of its own; one without a specimen stands for it.
    if walk.specimens:
        walk.orc, walk.group, walk.notes = None, None, None
    else:
        _specimen(walk, placed)


def _obr_of_specimen(walk: _Walk, placed: Placed) -> None:
    walk.open(placed)
    group = walk.current()
    group.specimens, group.of_specimen = list(walk.specimens), walk.of_specimen
    walk.of_specimen, walk.orc = [], None


def _orc_of_specimen(walk: _Walk, placed: Placed) -> None:
    """The common order stands behind its OBR here, except where a sender keeps to the order of ORU."""
    group = walk.group
    if group and group.obr and group.orc is None and not group.results:
        group.orc = placed
    else:
        walk.orc, walk.group, walk.notes = placed, None, None


def _obx_of_specimen(walk: _Walk, placed: Placed) -> None:
    if walk.group or not walk.specimens:
        _obx(walk, placed)
        return
    result = Result(*placed)
    walk.of_specimen.append(result)
    walk.notes = result.notes


_LEADING = frozenset({"SPM", "SAC", "OBR"})
_SPECIMEN_STEPS = _STEPS | {
    "PID": _pid_of_specimens,
    "SPM": _specimen,
    "SAC": _container,
    "OBR": _obr_of_specimen,
    "ORC": _orc_of_specimen,
    "OBX": _obx_of_specimen,
}
