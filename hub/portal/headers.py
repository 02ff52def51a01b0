"""What every answer tells the browser about itself: run nothing from elsewhere, guess nothing, be framed by nobody."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# No 'unsafe-inline' anywhere: a name that carries markup stays text even where escaping were forgotten.
# data: images are the arrows and ticks inside Tabler's style sheet; a frame of our own shows a PDF.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# A document of ours may be shown inside our own report page, and nowhere else.
EMBEDDED_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-frame-options": "DENY",
}


class SecurityHeaders:
    """Adds each header that the answer does not already set; pages and fragments are never kept by a cache."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _complete(headers: MutableHeaders) -> None:
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if headers.get("content-type", "").startswith("text/html"):
        headers.setdefault("cache-control", "no-store")
        headers.add_vary_header("Accept-Language, Cookie, HX-Request")
