"""Canonical values as immutable JSON documents, and back. What was written by an older version stays readable."""

from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from .faults import InvalidPayload

T = TypeVar("T")

_adapters: dict[type, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    # Building an adapter costs milliseconds, using it microseconds.
    adapter = _adapters.get(kind)
    if adapter is None:
        adapter = _adapters[kind] = TypeAdapter(kind)
    return adapter


def to_json(value: object) -> bytes:
    """The document of a canonical value; defaults are left out, so an added field costs old documents nothing.

    Raises InvalidPayload for a text that no encoding can hold, such as half a surrogate pair.
    """
    try:
        return _adapter(type(value)).dump_json(value, exclude_defaults=True)
    except PydanticSerializationError as error:
        raise InvalidPayload("it holds a text that cannot be written", where="text") from error


def from_json(kind: type[T], document: bytes | str) -> T:
    """The canonical value that a document holds."""
    value: T = _adapter(kind).validate_json(document)
    return value
