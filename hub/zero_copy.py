"""Bodies that the kernel sends from a file, so that no byte of them passes through this process.

Source: the extension http.response.zerocopysend of ASGI, which uvicorn leaves to others.
"""

import asyncio
import errno
import os

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

EXTENSION = "http.response.zerocopysend"
# After each piece other requests have their turn.
_PIECE = 1 << 20
# A client that takes nothing for so long has its answer ended: files and memory are waiting with it.
_STALLED_S = 60.0


class ZeroCopy:
    """ASGI middleware, to be put around an application that uvicorn serves by httptools and without TLS."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        cycle = getattr(send, "__self__", None)
        if not isinstance(cycle, RequestResponseCycle) or cycle.transport.get_extra_info("sslcontext"):
            await self._app(scope, receive, send)
            return
        scope.setdefault("extensions", {})[EXTENSION] = {}
        sending = _Sending(cycle)
        try:
            await self._app(scope, receive, sending.send)
        finally:
            sending.close()


class _Sending:
    """One response on its way out."""

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._socket = -1

    async def send(self, message: Message) -> None:
        """What ASGI has an application send, files as well."""
        if message["type"] != EXTENSION:
            await self._taken()
            await self._cycle.send(message)  # type: ignore[arg-type]  # uvicorn and Starlette type the same dicts
            return
        if message["count"] and not self._cycle.disconnected and self._cycle.scope["method"] != "HEAD":
            await self._send_file(message["file"].fileno(), message["offset"], message["count"])
        if not message.get("more_body", False):
            await self._cycle.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_file(self, file: int, offset: int, count: int) -> None:
        cycle = self._cycle
        if cycle.chunked_encoding:
            cycle.transport.write(b"%x\r\n" % count)
        elif count > cycle.expected_content_length:
            raise RuntimeError("the answer is longer than its Content-Length")
        else:
            cycle.expected_content_length -= count
        try:
            await self._emptied()
            if not cycle.disconnected:
                await self._copy(file, offset, count)
        except OSError:
            # The client is gone or takes nothing, or the file is gone: the rest of the answer cannot follow.
            cycle.transport.abort()
            return
        if cycle.chunked_encoding:
            cycle.transport.write(b"\r\n")

    async def _taken(self) -> None:
        """Returns when the client has taken enough of what was written before."""
        flow = self._cycle.flow
        if flow.write_paused and not self._cycle.disconnected:
            try:
                async with asyncio.timeout(_STALLED_S):
                    await flow.drain()
            except TimeoutError:
                self._cycle.transport.abort()

    async def _emptied(self) -> None:
        """Returns when all that was written before is with the kernel."""
        transport = self._cycle.transport
        if self._socket < 0:
            transport.set_write_buffer_limits(high=0)
            self._socket = os.dup(transport.get_extra_info("socket").fileno())
        async with asyncio.timeout(_STALLED_S):
            while transport.get_write_buffer_size() and not self._cycle.disconnected:
                # Not paused: what an answer before this one left there, under the limit of then.
                await (self._cycle.flow.drain() if self._cycle.flow.write_paused else asyncio.sleep(0.001))

    async def _copy(self, file: int, offset: int, count: int) -> None:
        end = offset + count
        while offset < end:
            size = min(end - offset, _PIECE)
            try:
                if _at_hand(file, offset + size - 1):
                    sent = os.sendfile(self._socket, file, offset, size)
                    await asyncio.sleep(0)
                else:
                    sent = await run_in_threadpool(os.sendfile, self._socket, file, offset, size)
            except BlockingIOError:
                await self._writable()
                continue
            if not sent:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            offset += sent

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_writer(self._socket, _tell, ready)
        try:
            async with asyncio.timeout(_STALLED_S):
                await ready
        finally:
            loop.remove_writer(self._socket)

    def close(self) -> None:
        """Lets go of the socket, which stays the server's."""
        if self._socket >= 0:
            os.close(self._socket)
            self._cycle.transport.set_write_buffer_limits()


def _tell(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def _at_hand(file: int, offset: int) -> bool:
    """Whether the byte there is in memory, so that to send it waits for no disk."""
    try:
        return os.preadv(file, [bytearray(1)], offset, os.RWF_NOWAIT) == 1
    except OSError:
        return False
