"""The outermost layer of HTTP: every request is measured, and a bug becomes an answer instead of a dead connection."""

import secrets
import time
import traceback
from collections.abc import Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub import metrics
from schemas.faults import Internal

log = structlog.get_logger()


class Edge:
    """ASGI middleware. failed: renders a fault for the request."""

    def __init__(self, app: ASGIApp, failed: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 the edge of a request
            response = self._report(scope, error)
            if status:
                # Part of the answer is out: only a broken connection tells the caller that it is not whole.
                raise ConnectionAbortedError("failed after the response had begun") from None
            await response(scope, receive, watched)
        finally:
            metrics.count_http_request(_template(scope), scope["method"], status, time.monotonic() - begun)

    def _report(self, scope: Scope, error: Exception) -> Response:
        incident = secrets.token_hex(6)
        # The message and the values of an unexpected error may be a patient's: type and places only.
        places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
        log.error("http.failed", incident=incident, route=_template(scope), error=type(error).__name__, at=places)
        return self._failed(Request(scope), Internal(f"unexpected failure; incident {incident}"))


def _template(scope: Scope) -> str:
    # Never the path itself: it holds ids, and every id would be a time series of its own.
    return getattr(scope.get("route"), "path", "") or "other"
