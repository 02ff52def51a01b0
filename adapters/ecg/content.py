"""Content of bounded size, and what a reader says of it."""

import hashlib
from typing import BinaryIO

from schemas.faults import InvalidPayload


def whole(content: BinaryIO, limit: int) -> bytes:
    """All bytes. Raises InvalidPayload above `limit` bytes, and for nothing at all."""
    data = content.read(limit + 1)
    if len(data) > limit:
        raise InvalidPayload(f"expected at most {limit} bytes")
    if not data:
        raise InvalidPayload("expected a file, found nothing")
    return data


def digest(data: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(data).hexdigest()
