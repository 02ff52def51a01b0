"""Which patients are one person: joining them, and taking apart again what only an undone answer held together."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, combinations

from sqlalchemy import Connection

from schemas.patient import MergeState
from storage import doubts, merges, patients
from storage.patients import Known

from .likeness import believable_number, completed, contradiction


def describe(tx: Connection, person_id: int, now: dt.datetime) -> None:
    """Writes what is now known of the person: the first member's description, the identifiers of all.

    A number that was merged away comes last: how its patient was called then is history.
    """
    found = patients.known_of_person(tx, person_id)
    if not found:
        return
    if len(found) > 1:
        gone = {each.prior_id for each in merges.known_of(tx, [m.id for m in found]) if each.state is MergeState.MERGED}
        found.sort(key=lambda member: member.id in gone)
    members = [member.patient for member in found]
    merged = members[0]
    for member in members[1:]:
        merged = completed(merged, member)
    identifiers = tuple(dict.fromkeys(chain.from_iterable(member.identifiers for member in members)))
    patients.put_person(tx, person_id, replace(merged, identifiers=identifiers), now)


def move(
    tx: Connection, members: Iterable[Known], target: int, *, reason: str, decided_by: str, now: dt.datetime
) -> None:
    """Makes the patients members of another person; both persons are described anew."""
    members = list(members)
    left = {member.person_id for member in members}
    for member in members:
        patients.link_patient(tx, member, target, reason=reason, decided_by=decided_by, now=now)
    for person_id in (target, *sorted(left)):
        describe(tx, person_id, now)


def part(tx: Connection, patient: Known, *, reason: str, decided_by: str, now: dt.datetime) -> None:
    """Makes the patient a person of their own."""
    alone = patients.add_person(tx, patient.patient, now)
    move(tx, [patient], alone, reason=reason, decided_by=decided_by, now=now)


def take_apart(tx: Connection, one: int, other: int, *, home: int | None, decided_by: str, now: dt.datetime) -> None:
    """After the answer that joined two patients was taken back: parts them, unless something else holds them together.

    Whoever hangs on `one` goes with it: to the person `home` where nobody is that person now, else to a new one.
    """
    person_id = patients.known_by_id(tx, other).person_id
    members = {member.id: member for member in patients.known_of_person(tx, person_id)}
    if one not in members:
        return
    together = _held_together(tx, members, one, other)
    if other in together:
        return
    leaving = [members[each] for each in sorted(together)]
    empty = home is not None and not patients.known_of_person(tx, home)
    target = home if home is not None and empty else patients.add_person(tx, leaving[0].patient, now)
    move(tx, leaving, target, reason="link-undone", decided_by=decided_by, now=now)


def _held_together(tx: Connection, members: dict[int, Known], one: int, other: int) -> set[int]:
    """The patients that still hang together with `one`, by merges, by answers, by number, or by how they came here."""
    ties = [*_decided(tx, members), *_by_number(members)]
    tied = {each for pair in ties for each in pair} | {one, other}
    homes = merges.known_homes(tx, members)
    # Linked once for a reason that their descriptions no longer show: they stay with those beside whom they came.
    for loose in members.keys() - tied:
        beside = next((each for each in members if each != loose and homes[each] == homes[loose]), other)
        ties.append((loose, beside))
    reached, waiting = set[int](), [one]
    while waiting:
        each = waiting.pop()
        reached.add(each)
        waiting += [b if a == each else a for a, b in ties if each in (a, b) and not {a, b} <= reached]
    return reached


def _decided(tx: Connection, members: dict[int, Known]) -> Iterator[tuple[int, int]]:
    pairs = [
        (merge.prior_id, merge.surviving_id)
        for merge in merges.known_of(tx, members)
        if merge.state is MergeState.MERGED
    ]
    for pair in chain(pairs, doubts.known_linked(tx, members)):
        if members.keys() >= set(pair):
            yield pair


def _by_number(members: dict[int, Known]) -> Iterator[tuple[int, int]]:
    for one, other in combinations(members.values(), 2):
        number = believable_number(one.patient)
        if number and number == believable_number(other.patient) and not contradiction(one.patient, other.patient):
            yield one.id, other.id
