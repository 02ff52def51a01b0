"""Routes that answer HEAD as they answer GET, without the body. Source: RFC 9110 9.3.2, DICOM PS3.18 8.3.1."""

from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send


class Readable(APIRoute):
    """Described once, as GET: the other method adds nothing that a reader of the description could use."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As for GET."""
        return super().matches(self._as_get(scope))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As for GET; the server drops the body, since the request itself stays a HEAD to it."""
        await super().handle(self._as_get(scope), receive, send)

    @staticmethod
    def _as_get(scope: Scope) -> Scope:
        return {**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope
