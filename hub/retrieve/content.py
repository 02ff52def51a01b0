"""A piece of content on its way out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Content:
    """`chunks`: the bytes in pieces, so that memory stays flat; `size`: how many there are in all.

    digest: of the stored object it comes from, where it is one; never changes for the same bytes.
    part: the bytes from an offset on, so many, where they can be had without those before them.
    """

    media_type: str
    filename: str
    size: int
    chunks: Iterator[bytes]
    digest: str = ""
    part: Callable[[int, int], Iterator[bytes]] | None = None

    def range(self, offset: int, length: int) -> Iterator[bytes]:
        """So many bytes from the offset on."""
        if self.part is not None:
            return self.part(offset, length)
        return iter([b"".join(self.chunks)[offset : offset + length]])
