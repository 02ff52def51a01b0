"""Resources as JSON text and back, every decimal as it was written."""

import json
from decimal import Decimal

from schemas.faults import InvalidPayload

from .elements import Resource


def dumps(resource: Resource) -> bytes:
    """UTF-8 JSON. Trailing zeros are precision in a laboratory: 5.10 does not become 5.1."""
    return _value(resource).encode("utf-8", "replace")


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_string(name)}:{_value(each)}" for name, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_value(each) for each in value) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return _string(value)


def _string(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def loads(content: bytes | str) -> Resource:
    """The resource that JSON text holds. Raises InvalidPayload where it is none."""
    try:
        value = json.loads(content, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidPayload("expected a FHIR resource as JSON") from error
    if not isinstance(value, dict):
        raise InvalidPayload("expected a JSON object")
    return value


def _refuse(_: str) -> None:
    raise ValueError("not a JSON number")
