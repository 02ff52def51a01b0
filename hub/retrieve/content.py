"""A piece of content on its way out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from storage.object_stream import FilePieces

__all__ = ["Content", "FilePieces"]


@dataclass(frozen=True)
class Content:
    """`body`: the bytes in pieces, so that memory stays flat; `head`: what comes before; `size`: of both.

    digest: of the stored object it comes from, where it is one; never changes for the same bytes.
    part: the bytes from an offset on, so many, where they can be had without those before them.
    """

    media_type: str
    filename: str
    size: int
    body: Iterator[bytes]
    digest: str = ""
    part: Callable[[int, int], Iterator[bytes]] | None = None
    head: bytes = b""

    @property
    def chunks(self) -> Iterator[bytes]:
        """All of it, once."""
        return chain([self.head], self.body) if self.head else self.body

    @property
    def pieces(self) -> Iterator[bytes | FilePieces]:
        """The same; what stands in a file is one piece, still to be read there and closed."""
        return iter([self.head, self.body]) if isinstance(self.body, FilePieces) else self.chunks

    def range(self, offset: int, length: int) -> Iterator[bytes]:
        """So many bytes from the offset on."""
        if self.part is not None:
            return self.part(offset, length)
        return iter([b"".join(self.chunks)[offset : offset + length]])
