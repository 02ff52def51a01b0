"""Merges that institutions tell of their own numbers: kept as history, undone by a person, never in a circle.

The merges that hold are a forest: a number is merged into at most one other, and nothing into itself. A prior number
that nobody has used here yet is remembered all the same: its results are on their way, and refused or taken for
somebody new they would leave the person in two halves, while whoever is described otherwise is still held.
"""

import datetime as dt
from dataclasses import replace
from itertools import product

from sqlalchemy import Connection

from schemas.disclosure import Disclosure
from schemas.faults import Conflict
from schemas.identifiers import Identifier
from schemas.patient import Merge, MergeState, Patient
from storage import doubts, merges, patients
from storage.patients import Known

from .likeness import contradicts
from .names import search_keys
from .persons import move, take_apart


def merge(tx: Connection, told: Merge, *, own: bool, delivery_id: int, now: dt.datetime) -> None:
    """Makes the prior number's patient go on as the surviving one, or asks a person whether they should.

    own: both numbers are the institution's own. Raises Conflict where the prior number has gone on as another already,
    or where the merge would close a circle.
    """
    surviving = _known(tx, told.surviving.key)
    if surviving is None:
        raise Conflict("the surviving identifier is not known here", where="PID-3")
    prior = _known(tx, told.prior.key)
    if prior is not None and _holds(tx, prior.id, surviving.id):
        return
    unheard = prior is None
    prior = prior or _remember(tx, told, surviving, own=own, now=now)
    question = "merge-by-another" if not own else "" if unheard else _question(tx, prior, surviving)
    state = MergeState.ASKED if question else MergeState.MERGED
    merge_id = _record(tx, prior, surviving, state, delivery_id, now)
    if question:
        doubts.add(tx, prior.id, surviving.id, question, now)
    elif prior.person_id != surviving.person_id:
        members = patients.known_of_person(tx, prior.person_id)
        move(tx, members, surviving.person_id, reason=f"merge-{merge_id}", decided_by="", now=now)


def undo(tx: Connection, disclosure: Disclosure, merge_id: int, reason: str, *, now: dt.datetime) -> None:
    """Takes a merge back: whoever was one by it alone is apart again. Raises NotFound; Conflict where it holds not."""
    known = merges.known_by_id(tx, merge_id)
    if known.state is not MergeState.MERGED:
        raise Conflict("this merge does not hold; there is nothing to undo", where="merge")
    account = disclosure.principal.account
    merges.settle_undone(tx, [merge_id], undone_by=account, reason=reason, now=now)
    take_apart(tx, known.prior_id, known.surviving_id, home=known.from_person_id, decided_by=account, now=now)


def _known(tx: Connection, identifier: Identifier) -> Known | None:
    """The patient known by the number, else the one who carries it beside another."""
    return patients.known_by_key(tx, identifier) or next(iter(patients.known_by_identifier(tx, identifier)), None)


def _holds(tx: Connection, prior_id: int, surviving_id: int) -> bool:
    """Whether this merge holds already, or both are one number. Raises Conflict where it cannot stand beside others."""
    if prior_id == surviving_id:
        return True
    into = _gone_on_as(tx, prior_id)
    if into is not None and into != surviving_id:
        raise Conflict("the prior identifier was merged into another already", where="MRG-1")
    above: int | None = surviving_id
    while above is not None:
        if above == prior_id:
            raise Conflict("the surviving identifier was itself merged into the prior one", where="MRG-1")
        above = _gone_on_as(tx, above)
    return into == surviving_id


def _gone_on_as(tx: Connection, patient_id: int) -> int | None:
    return next(
        (
            each.surviving_id
            for each in merges.known_of(tx, [patient_id])
            if each.prior_id == patient_id and each.state is MergeState.MERGED
        ),
        None,
    )


def _remember(tx: Connection, told: Merge, surviving: Known, *, own: bool, now: dt.datetime) -> Known:
    """A number that nobody has used here: under its former name, else as its survivor is described."""
    described = told.prior
    if own:
        known = surviving.patient
        described = Patient(told.prior.identifiers, told.prior.name, known.birth_date, known.sex)
        if not described.name.text:
            described = replace(described, name=known.name)
    person_id = patients.add_person(tx, described, now)
    return Known(patients.add_patient(tx, person_id, described, search_keys(described.name)), person_id, described)


def _question(tx: Connection, prior: Known, surviving: Known) -> str:
    """Why a person should look first; empty where the institution's word is enough.

    A name may differ: that is why two numbers were given out. Birth date, sex and resident number may not.
    """
    again = (
        each.state is MergeState.UNDONE and (each.prior_id, each.surviving_id) == (prior.id, surviving.id)
        for each in merges.known_of(tx, [prior.id])
    )
    if any(again):
        return "merge-undone-before"
    if prior.person_id == surviving.person_id:
        return ""
    ours, theirs = (patients.known_of_person(tx, each.person_id) for each in (prior, surviving))
    pairs = product((each.patient for each in ours), (each.patient for each in theirs))
    return "merge-contradicts" if any(contradicts(replace(a, name=b.name), b) for a, b in pairs) else ""


def _record(
    tx: Connection, prior: Known, surviving: Known, state: MergeState, delivery_id: int, now: dt.datetime
) -> int:
    return merges.add(
        tx,
        prior.id,
        surviving.id,
        from_person_id=prior.person_id,
        delivery_id=delivery_id,
        state=state,
        now=now,
    )
