"""A piece of content on its way out."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Content:
    """`chunks`: the bytes in pieces, so that memory stays flat; `size`: how many there are in all."""

    media_type: str
    filename: str
    size: int
    chunks: Iterator[bytes]
