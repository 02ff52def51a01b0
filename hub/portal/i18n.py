"""Chinese and English: msgids are the English words, the Chinese ones stand in a catalogue beside this file.

The catalogue is read from its source form (`portal.po`) once at start, so that no compiled copy can fall behind it.
"""

from collections.abc import Callable
from functools import cache
from importlib import resources

from babel.core import negotiate_locale
from babel.messages.pofile import read_po
from fastapi import Request

LANGUAGES = ("zh", "en")
DEFAULT = "zh"
COOKIE = "dxhub_language"

Translate = Callable[[str], str]


def N_(message: str) -> str:
    """Marks a msgid that is translated where it is shown."""
    return message


@cache
def messages(language: str) -> dict[str, str]:
    """The words of a language by msgid; none for English, whose words are the msgids."""
    if language != "zh":
        return {}
    path = resources.files("hub.portal").joinpath("locale", language, "LC_MESSAGES", "portal.po")
    with path.open("rb") as stream:
        catalogue = read_po(stream, locale=language)
    return {str(m.id): str(m.string) for m in catalogue if m.id and m.string and not m.fuzzy}


def translator(language: str) -> Translate:
    """The gettext of a language: a msgid without a translation stays as it is."""
    words = messages(language)
    return lambda message: words.get(message, message)


def _accepted(header: str) -> list[str]:
    # "en-GB;q=0.8, zh": best first, as RFC 9110 12.5.4 weighs them.
    weighed = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        weighed.append((-_weight(weight), place, tag.strip()))
    return [tag for _, _, tag in sorted(weighed) if tag]


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def language_of(request: Request, account_language: str = "") -> str:
    """The account's language, else the one chosen in this browser, else the browser's own, else Chinese."""
    for chosen in (account_language, request.cookies.get(COOKIE, "")):
        if chosen in LANGUAGES:
            return chosen
    accepted = [tag.split("-")[0] for tag in _accepted(request.headers.get("accept-language", ""))]
    return negotiate_locale(accepted, LANGUAGES) or DEFAULT
