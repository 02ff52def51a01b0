"""Interpretation statements: text for people, and what they say of the reading's own state."""

import re
from collections.abc import Iterable

_CONFIRMED = re.compile(
    r"^(confirmed( report)?|(confirmed|reviewed|overread) by\b.*|已确认|已审核|审核通过|已复核)[.。]?$", re.IGNORECASE
)
_SPACE = re.compile(r"[ \t\r\f\v\x00]+")


def clean(statements: Iterable[str]) -> tuple[str, ...]:
    """Statements without padding, empty lines and repetition, in their order."""
    lines = (_SPACE.sub(" ", line).strip() for statement in statements for line in statement.split("\n"))
    return tuple(dict.fromkeys(line for line in lines if line))


def confirmed(statements: Iterable[str]) -> bool:
    """Whether a statement as a whole says that a person has confirmed the reading."""
    return any(_CONFIRMED.match(statement) for statement in statements)
