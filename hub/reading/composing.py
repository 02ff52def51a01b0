"""The version of a report that a reader's draft makes. Rules alone, without storage."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from schemas.codes import LOINC, Coding
from schemas.disclosure import Principal
from schemas.ecg_statements import Statement, statement
from schemas.faults import InvalidPayload
from schemas.observation import Observation, Quantity
from schemas.reading import STATUS, Draft, ReadingState, ReadingStep, after, state_of
from schemas.report import Overread, Report

# What a reader may measure: LOINC code, name, unit, and the bounds of what a body and a hand on a mouse may do.
MEASURES = {
    "8867-4": ("Heart rate", "/min", (10, 400)),
    "8625-6": ("P-R interval", "ms", (20, 800)),
    "8633-0": ("QRS duration", "ms", (20, 400)),
    "8634-8": ("Q-T interval", "ms", (100, 1000)),
    "8636-3": ("Q-T interval corrected", "ms", (100, 1000)),
    "8632-2": ("QRS axis", "deg", (-180, 360)),
}
_LONGEST = 4000
_MOST = 40


def composed(report: Report, version: int, draft: Draft, principal: Principal, now: dt.datetime) -> Report:
    """What a reader says, as the report's next version. Raises InvalidPayload, and Conflict for a withdrawn one."""
    state = after(state_of(report), ReadingStep.CONFIRM)
    chosen = _statements(draft.statements)
    text = draft.text.strip()
    if not (chosen or text):
        raise InvalidPayload("expected at least one statement or a text", where="statements")
    if len(text) > _LONGEST:
        raise InvalidPayload("expected a shorter text", where="text")
    return replace(
        _by(report, state, version, principal, now),
        conclusion="\n".join([*(each.zh for each in chosen), *([text] if text else [])]),
        statements=tuple(each.coding for each in chosen),
        observations=_measured(report.observations, draft.measured, principal.name or principal.account),
    )


def withdrawn(report: Report, version: int, principal: Principal, now: dt.datetime) -> Report:
    """The report as taken back by its reader; what it said stays in its history."""
    state = after(state_of(report), ReadingStep.WITHDRAW)
    return _by(report, state, version, principal, now)


def _by(report: Report, state: ReadingState, version: int, principal: Principal, now: dt.datetime) -> Report:
    name = principal.name or principal.account
    read = Overread(principal.account, name, principal.organization, now, version)
    return replace(report, status=STATUS[state], performers=(name,), issued_at=now, overread=read)


def _statements(codes: tuple[str, ...]) -> list[Statement]:
    found = []
    for code in dict.fromkeys(codes):
        known = statement(code)
        if known is None:
            raise InvalidPayload("expected codes of the list of statements", where="statements")
        found.append(known)
    if len(found) > _MOST:
        raise InvalidPayload("expected fewer statements", where="statements")
    return found


def _measured(known: tuple[Observation, ...], values: Mapping[str, Decimal], name: str) -> tuple[Observation, ...]:
    """The results with the reader's values in their places; those of the cart stay in its own version."""
    for code, value in values.items():
        low, high = MEASURES[code][2] if code in MEASURES else (0, 0)
        if not (value.is_finite() and low <= value <= high):
            raise InvalidPayload("expected a measurement within what is possible", where=code)
    left: dict[str, Decimal] = dict(values)
    made = []
    for each in known:
        said = left.pop(each.code.code) if each.code.system == LOINC and each.code.code in left else None
        same = isinstance(each.value, Quantity) and each.value.value == said
        made.append(each if said is None or same else _anew(each, said, name))
    for code, value in left.items():
        display, unit, _ = MEASURES[code]
        made.append(Observation(Coding(code, display, LOINC), Quantity(value, unit), unit=unit, measured_by=name))
    return tuple(made)


def _anew(each: Observation, value: Decimal, name: str) -> Observation:
    unit = each.value.unit if isinstance(each.value, Quantity) else MEASURES[each.code.code][1]
    return replace(
        each, value=Quantity(value, unit), sent="", interpretation=(), method="", measured_by=name, computed=False
    )
