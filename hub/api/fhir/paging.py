"""Pages and the links between them. Source: https://hl7.org/fhir/R4/http.html#paging"""

from collections.abc import Iterable
from urllib.parse import urlencode

from .kinds import Window
from .parameters import Parameters

DEFAULT_COUNT = 20
MOST = 200
OFFSET = "_offset"
_FARTHEST = 10**9


def window_of(asked: Parameters) -> Window:
    """The page that `_count` and our own `_offset` ask for; newest first unless `_sort` says otherwise."""
    ascending = any(given.value == "date" for given in asked.all("_sort"))
    count = asked.number("_count", DEFAULT_COUNT, MOST)
    return Window(count, asked.number(OFFSET, 0, _FARTHEST), newest_first=not ascending)


def links(address: str, pairs: Iterable[tuple[str, str]], window: Window, shown: int, total: int) -> dict[str, str]:
    """`self`, and where there is more `next` and `previous`. A page beyond the last is empty and has no next one."""
    asked = [(name, value) for name, value in pairs if name != OFFSET]

    def at(offset: int) -> str:
        query = urlencode([*asked, *([(OFFSET, str(offset))] if offset else [])])
        return f"{address}?{query}" if query else address

    found = {"self": at(window.offset)}
    if shown and window.offset + shown < total:
        found["next"] = at(window.offset + shown)
    if window.offset and window.count:
        found["previous"] = at(max(window.offset - window.count, 0))
    return found
