"""Bodies out of many objects, each opened when its turn comes."""

from collections.abc import Iterable, Iterator, Mapping

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from hub.retrieve import FilePieces

# Each change of threads costs as much as the copy of so many bytes; a short piece is sooner read than handed over.
_TOGETHER, _SHORT = 8 << 20, 64 << 10
# Each is an open file, for as long as the client takes.
_MOST_FILES = 16

Piece = bytes | FilePieces


class Pieced(StreamingResponse):
    """What stands in files is left to the server to send, where it can. Source: ASGI's http.response.zerocopysend.

    Made in a thread that may block: the first pieces are taken at once.
    """

    def __init__(self, pieces: Iterable[Piece], media_type: str, headers: Mapping[str, str], status: int = 200) -> None:
        super().__init__(iter(()), status, headers, media_type)
        self._pieces = _flat(pieces)
        self._next = _together(self._pieces)
        self._by_file = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        self._by_file = "http.response.zerocopysend" in scope.get("extensions", ())
        if self._next[1]:
            await super().__call__(scope, receive, send)
        else:
            # All is at hand: nobody need look whether the client is still there.
            await self.stream_response(send)

    async def stream_response(self, send: Send) -> None:
        """Sends head and body."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        pieces, more = self._next
        while more:
            for piece in pieces:
                await self._send(piece, send)
            pieces, more = await run_in_threadpool(_together, self._pieces)
        *pieces, last = pieces
        for piece in pieces:
            await self._send(piece, send)
        await send({"type": "http.response.body", "body": last, "more_body": False})

    async def _send(self, piece: Piece, send: Send) -> None:
        if isinstance(piece, bytes):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        elif self._by_file:
            place = {"file": piece, "offset": piece.offset, "count": piece.left}
            await send({"type": "http.response.zerocopysend", **place, "more_body": True})
            piece.close()
        else:
            async for chunk in iterate_in_threadpool(piece):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})


def _flat(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Short ones read."""
    for piece in pieces:
        if isinstance(piece, FilePieces) and piece.left < _SHORT:
            yield b"".join(piece)
        elif piece:
            yield piece


def _together(pieces: Iterator[Piece]) -> tuple[list[Piece], bool]:
    """The next pieces, neighbours joined, and whether there may be more; where not, bytes come last."""
    taken: list[Piece] = []
    waiting: list[bytes] = []
    size = files = 0
    for piece in pieces:
        if isinstance(piece, bytes):
            waiting.append(piece)
            size += len(piece)
        else:
            taken += [b"".join(waiting), piece] if waiting else [piece]
            waiting = []
            size += piece.left
            files += 1
        if size >= _TOGETHER or files >= _MOST_FILES:
            break
    else:
        return [*taken, b"".join(waiting)], False
    return ([*taken, b"".join(waiting)] if waiting else taken), True
