"""A multipart/related request body, part by part, none of it held in memory. Source: RFC 2387, RFC 2046 5.1."""

import tempfile
from typing import BinaryIO, cast

from fastapi import HTTPException
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from schemas.faults import InvalidPayload

_MEMORY = 1 << 20
_MAX_HEADERS = 16 << 10


class Part:
    """`media_type`: as its Content-Type says, empty where it has none. `content`: at its start once complete."""

    def __init__(self) -> None:
        self.media_type = ""
        self.content = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_MEMORY))  # noqa: SIM115 closed by stow
        self.size = 0


class Parts:
    """Fed with pieces of a body, collects the parts that they complete in `done`.

    Raises InvalidPayload for a body that is no multipart, 413 for a part larger or for more parts than allowed.
    """

    def __init__(self, boundary: str, *, max_part: int, max_parts: int) -> None:
        self.done: list[Part] = []
        self._limits = (max_part, max_parts)
        self._count = self._headers = 0
        self._part: Part | None = None
        self._name = self._value = b""
        self._ended = self._begun = False
        # What may stand before the first boundary is for readers who know no multipart (RFC 2046 5.1.1).
        self._preamble = b""
        self._first = b"--" + boundary.encode("ascii", "replace")
        self._parser = MultipartParser(
            self._first[2:],
            {
                "on_part_begin": self._begin,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_end": self._finish,
            },
        )

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body."""
        if not self._begun:
            piece = self._without_preamble(piece)
        try:
            self._parser.write(piece)
        except MultipartParseError as fault:
            raise InvalidPayload("the body is not the multipart that its boundary announces", where="body") from fault

    def _without_preamble(self, piece: bytes) -> bytes:
        come = self._preamble + piece
        place = 0 if come.startswith(self._first) else come.find(b"\n" + self._first) + 1
        if place or come.startswith(self._first):
            self._begun, self._preamble = True, b""
            return come[place:]
        if len(come) > _MAX_HEADERS:
            raise InvalidPayload("the body is not the multipart that its boundary announces", where="body")
        self._preamble = come
        return b""

    def unended(self) -> InvalidPayload | None:
        """What there is to say of a body of which nothing more comes; None where it came to its end."""
        return None if self._ended else InvalidPayload("the body ends before its closing boundary", where="body")

    def discard(self) -> None:
        """Forget what was not taken."""
        for part in [*self.done, *([self._part] if self._part else [])]:
            part.content.close()

    def _begin(self) -> None:
        self._count += 1
        if self._count > self._limits[1]:
            raise HTTPException(413, f"more than {self._limits[1]} parts in one request")
        self._part, self._headers = Part(), 0

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._weigh(end - start)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._weigh(end - start)

    def _weigh(self, count: int) -> None:
        self._headers += count
        if self._headers > _MAX_HEADERS:
            raise InvalidPayload("the headers of a part are too long", where="body")

    def _header_end(self) -> None:
        if self._part and self._name.strip().lower() == b"content-type":
            self._part.media_type = self._value.decode("ascii", "replace").strip()
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part is None:
            return
        self._part.size += end - start
        if self._part.size > self._limits[0]:
            raise HTTPException(413, f"a part of more than {self._limits[0] >> 20} MiB")
        self._part.content.write(data[start:end])

    def _end(self) -> None:
        if self._part:
            self._part.content.seek(0)
            self.done.append(self._part)
            self._part = None

    def _finish(self) -> None:
        self._ended = True
