"""What is different between two readings, by the names of canonical values (`observation.interpretation`)."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from schemas.delivery import Accounting, Reading
from schemas.observation import Observation
from schemas.order import ServiceOrder
from schemas.patient import Patient
from schemas.report import Report

# Values with a life of their own, told by name; a difference in any other is a difference of what holds it.
_ENTITIES = (Report, Observation, Patient, ServiceOrder)
# What follows from other values, and counts only where nothing else is different.
_DERIVED = frozenset({"report.flags", "report.key", "delivery.parts", "delivery.update"})
# The last resort of a report without any number of its own: its key is a digest of the whole message.
_DIGEST_KEY = re.compile(r"message:[0-9a-f]{32}\|.*", re.DOTALL)


def effects(before: Reading, after: Reading) -> tuple[str, ...]:
    """Names of the canonical values in which two readings differ, sorted; empty where they say the same."""
    found = set(_different(before, after, "delivery"))
    if any(_DIGEST_KEY.fullmatch(report.key) for report in before.reports):
        found.discard("report.key")
    return tuple(sorted(found - _DERIVED or found))


def _different(before: Any, after: Any, name: str) -> Iterator[str]:  # noqa: ANN401 - values of every type
    for field in (each.name for each in dataclasses.fields(before)):
        old, new = getattr(before, field), getattr(after, field)
        if old is new or isinstance(old, Accounting):
            continue
        olds, news = _entities(old), _entities(new)
        if not olds and not news:
            if old != new:
                yield f"{name}.{field}"
        elif len(olds) != len(news) or any(type(a) is not type(b) for a, b in zip(olds, news, strict=True)):
            yield _name(type((olds or news)[0]))
        else:
            # Never by comparing them whole: two may count as equal and differ in what is said of their sending.
            for one, other in zip(olds, news, strict=True):
                yield from _different(one, other, _name(type(one)))


def _name(kind: type) -> str:
    """`ServiceOrder` is a service_order."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


def _entities(value: Any) -> list[Any]:  # noqa: ANN401 - as above
    values = value if isinstance(value, tuple) else (value,)
    return [each for each in values if isinstance(each, _ENTITIES)]
