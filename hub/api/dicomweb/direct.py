"""The addresses that viewers ask hundreds of times for each series, answered in one change of threads.

The framework looks a request up in every router, and changes threads for each thing a route depends on: together twice
what it takes to find a study. The routes stay its own, and are what its description of the interface shows.
"""

import asyncio
import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Request, Response
from fastapi.params import Depends
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from schemas.faults import Fault

from .route import Readable

_THREADS = 40
_Given = Callable[[Request], Any]
Handler = Callable[[Request, Exception], Response]


@dataclass(frozen=True, slots=True)
class _Route:
    """path: as the metrics name it. given: how each thing that the endpoint takes is had from the request."""

    path: str
    pattern: re.Pattern[str]
    endpoint: Callable[..., Response]
    given: Mapping[str, _Given]

    def answer(self, request: Request) -> Response:
        """Blocks."""
        return self.endpoint(**{name: each(request) for name, each in self.given.items()})


class Direct:
    """ASGI middleware, to be put behind those that measure and protect. Whatever it does not know goes on.

    routers: with the prefix of each. failed: how a failure of each kind is told.
    """

    def __init__(
        self, app: ASGIApp, routers: Iterable[tuple[str, APIRouter]], failed: Mapping[Any, Callable[..., Any]]
    ) -> None:
        self._app = app
        self._failed = failed
        self._threads = ThreadPoolExecutor(_THREADS, "dicomweb")
        self._routes = [route for prefix, router in routers for route in _routes(prefix, router)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        found = self._find(scope)
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["route"], scope["path_params"] = found
        request = Request(scope, receive)
        response = await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, found[0], request)
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> tuple[_Route, dict[str, str]] | None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            return None
        for route in self._routes:
            if match := route.pattern.match(scope["path"]):
                return route, match.groupdict()
        return None

    def _answer(self, route: _Route, request: Request) -> Response:
        try:
            return route.answer(request)
        except Fault as fault:
            return self._told(Fault, request, fault)
        except HTTPException as error:
            return self._told(HTTPException, request, error)

    def _told(self, kind: type[Exception], request: Request, error: Exception) -> Response:
        response: Response = self._failed[kind](request, error)
        return response


def _routes(prefix: str, router: APIRouter) -> Iterable[_Route]:
    for route in router.routes:
        if isinstance(route, Readable):
            pattern, _, convertors = compile_path(prefix + route.path)
            given = _given(route.endpoint, convertors.keys())
            if given is not None:
                yield _Route(prefix + route.path, pattern, route.endpoint, given)


def _given(endpoint: Callable[..., Response], path: Collection[str]) -> dict[str, _Given] | None:
    """How each parameter is had from the request; None where one is left to the framework to read."""
    hints = get_type_hints(endpoint, include_extras=True)
    given: dict[str, _Given] = {}
    for name, parameter in inspect.signature(endpoint).parameters.items():
        hint = hints[name]
        if hint is Request:
            given[name] = _itself
        elif get_origin(hint) is Annotated and isinstance(depends := get_args(hint)[1], Depends):
            if depends.dependency is None:
                return None
            given[name] = depends.dependency
        elif hint is str and name in path:
            given[name] = partial(_word, name)
        elif hint is not str or parameter.default is parameter.empty:
            return None
    return given


def _word(name: str, request: Request) -> str:
    return str(request.path_params[name])


def _itself(request: Request) -> Request:
    return request
