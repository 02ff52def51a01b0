"""A piece of content on its way out."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Content:
    """`chunks`: the bytes in pieces, so that memory stays flat; `size`: how many there are in all.

    digest: of the stored object it comes from, where it is one; never changes for the same bytes.
    """

    media_type: str
    filename: str
    size: int
    chunks: Iterator[bytes]
    digest: str = ""
