"""Templates in two languages: one environment each, everything escaped."""

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from hub.access import Permission
from schemas.codes import Coding

from . import formats, labels, sender_words
from .fault_words import noter, teller
from .i18n import LANGUAGES, Translate, translator
from .menu import entries
from .session import Visit

# Values that a template shows are of every type, hence `Any` below.
STATIC = Path(__file__).parent / "static"
# Chinese for reports as PDF, fetched with the front-end libraries.
FONT = STATIC / "vendor" / "noto-sans-sc.ttf"


@cache
def static_url(name: str) -> str:
    """Address of an own or vendored file; it changes with the content, so that browsers may keep it for ever."""
    path = STATIC / name
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "absent"
    return f"/static/{name}?v={digest}"


@cache
def environment(language: str) -> Environment:
    """The templates with the words of one language."""
    made = Environment(
        loader=PackageLoader("hub.portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
    )
    made.filters["named"] = _namer(translator(language))
    made.filters["told"] = teller(translator(language))
    made.filters["finding"] = sender_words.finder(translator(language))
    made.filters["noted"] = noter(translator(language))
    made.globals.update({"_": translator(language), "language": language, "languages": LANGUAGES})
    made.globals.update({"static_url": static_url, "labels": labels, "formats": formats, "words_of": sender_words})
    for name in ("moment", "day", "age", "masked", "result", "unit", "spelled", "number", "size"):
        made.filters[name] = getattr(formats, name)
    return made


def _namer(translate: Translate) -> Callable[[Coding], str]:
    """Names a coded thing: in the reader's language where an ECG cart's code stands for it, else as its source did."""

    def named(coding: Coding) -> str:
        # Words of the source's own know better than our list: its code may be the one that is wrong.
        known = labels.CODED.get(coding.code, "")
        wordings = (known, labels.CODED_ALSO.get(coding.code, known))
        ours = not coding.display or any(_letters(each) in _letters(coding.display) for each in wordings)
        return translate(known) if known and ours else coding.display or coding.code

    return named


def _letters(text: str) -> str:
    return re.sub(r"\W", "", text.casefold())


def render(language: str, template: str, **values: Any) -> str:  # noqa: ANN401
    """The text of a template."""
    return environment(language).get_template(template).render(**values)


def fragment(visit: Visit, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401
    """A piece of a page for htmx to swap in."""
    return HTMLResponse(render(visit.language, template, visit=visit, **values), status_code=status)


def page(visit: Visit, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401
    """A whole page with the menu of the person who asked."""
    waiting = visit.verbs.recall.waiting(visit.disclosure).mine if visit.may(Permission.DECIDE) else 0
    values = {"menu": entries(visit.principal), "path": visit.request.url.path, "waiting": waiting, **values}
    return fragment(visit, template, status=status, **values)


def swaps(request: Request) -> bool:
    """Whether htmx asked for a piece of the page rather than the page."""
    return request.headers.get("hx-request-type") == "partial"


def page_or_fragment(visit: Visit, whole: str, piece: str, **values: Any) -> Response:  # noqa: ANN401
    """The piece when htmx asked for it, else the page around it."""
    if swaps(visit.request):
        return fragment(visit, piece, **values)
    return page(visit, whole, **values)
