"""The segments of an ORU^R01 as its order groups: which patient, which order, which results, whose notes.

Groups are found by what stands before what, not by the standard's grammar, which half of the senders do not keep.
Source: HL7 v2 chapter 7.3.1.
"""

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
    """An order and its results. `obr` is None for results that came without an order."""

    pid: Placed | None
    orc: Placed | None = None
    obr: Placed | None = None
    notes: list[Placed] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    specimens: list[Placed] = field(default_factory=list)
    studies: list[Placed] = field(default_factory=list)  # ZDS, IPC


@dataclass(slots=True)
class _Walk:
    groups: list[Group] = field(default_factory=list)
    pid: Placed | None = None
    orc: Placed | None = None
    group: Group | None = None
    notes: list[Placed] | None = None  # of what the next NTE belongs to

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


_STEPS = {
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
