"""A test message of a new sender's vendor: what the standard says to it, how we read it, what would be unmapped."""

from fastapi import APIRouter, Depends, Response
from starlette.concurrency import run_in_threadpool

from hub.access import Permission, require
from hub.profiles.trial import Trial
from hub.uploads import Form, received
from schemas.faults import InvalidPayload

from .render import page
from .segments import views
from .session import CSRF_FIELD, Visit, Visiting, check_csrf


def onboarding(visit: Visiting) -> Visit:
    """Administrators only. Decided before a byte of the body is read."""
    require(visit.principal, Permission.MANAGE_SENDERS)
    return visit


router = APIRouter(include_in_schema=False, dependencies=[Depends(onboarding)])

MOST_BYTES = 2_000_000
# The place of MSH-4 among the fields of a header, its name first.
_SENDER = 4


@router.get("/senders/try")
def empty(visit: Visiting) -> Response:
    """The page before anything was pasted."""
    return _page(visit, None)


@router.post("/senders/try")
async def examine(visit: Visiting) -> Response:
    """Examines what was pasted or chosen; nothing of it is kept."""
    async with received(visit.request, most_bytes=MOST_BYTES, most_field_bytes=MOST_BYTES) as form:
        check_csrf(visit, form.fields.get(CSRF_FIELD, ""))
        content = await run_in_threadpool(_content, form)
        name = form.fields.get("name", "")
        return await run_in_threadpool(_examined, visit, content, name)


def _content(form: Form) -> bytes:
    """The file where one was chosen, else the text."""
    chosen = next((each for each in form.files if each.size), None)
    if chosen:
        return chosen.content.read(MOST_BYTES)
    # A browser's text has CR LF at the end of every line, and no way to say that it had none.
    return form.fields.get("message", "").replace("\r\n", "\r").strip("\n").encode()


def _examined(visit: Visit, content: bytes, name: str) -> Response:
    if not content.strip():
        raise InvalidPayload("expected content, found none", where="message")
    return _page(visit, visit.verbs.profiles.examine(visit.disclosure, content, name), name, content)


def _page(visit: Visit, trial: Trial | None, name: str = "", content: bytes = b"") -> Response:
    names = [each.source.name for each in visit.verbs.profiles.senders(visit.disclosure)]
    messages = views(trial.examined) if trial and trial.examined else ()
    return page(
        visit,
        "onboarding.html",
        trial=trial,
        names=names,
        name=name,
        messages=messages,
        message=_shown(content),
        strangers=_strangers(trial, [name] if name else names),
    )


def _shown(content: bytes) -> str:
    """The text for the form: none where it would not be the same bytes when it is sent again."""
    try:
        return content.decode().replace("\r", "\n") if b"MSH" in content[:64] else ""
    except UnicodeDecodeError:
        return ""


def _strangers(trial: Trial | None, known: list[str]) -> list[str]:
    """What the messages call their sender (MSH-4) where that is none of `known`: the hub would refuse them."""
    if trial is None or trial.examined is None:
        return []
    headers = zip((texts[0] for texts in trial.examined.texts if texts), trial.examined.components, strict=False)
    sent = ((header[_SENDER].split(component) if len(header) > _SENDER else [""]) for header, component in headers)
    named = (next((part.strip() for part in parts[:2] if part.strip()), "") for parts in sent)
    return sorted({each for each in named if each not in known})
