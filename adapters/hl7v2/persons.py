"""Names of people: XPN and XCN, written by systems that think in family and given names, and by those that do not."""

import re

from schemas.patient import PersonName

from .context import Context

_HAN = re.compile(r"[\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_MOST_WRITINGS = 20  # of one name
_LATIN = re.compile(r"[A-Za-z][A-Za-z .,'\-]*")


def person_name(raw: str, context: Context) -> PersonName:
    """PID-5. The Chinese writing is the text; an alphabetic one beside it, as a repetition or component, is `latin`."""
    split, component = context.message.delimiters.split, context.message.delimiters.component
    names = [_name(split(repetition, component), context) for repetition in context.repetitions(raw)[:_MOST_WRITINGS]]
    names = [name for name in names if name.text or name.latin]
    if not names:
        return PersonName("")
    chosen = next((name for name in names if _HAN.search(name.text)), names[0])
    latin = chosen.latin or next((n.latin for n in names if n.latin), "")
    return PersonName(chosen.text, latin)


def staff_name(raw: str, context: Context) -> str:
    """XCN, CNN or a bare name: who did it, as a reader wants to see it; the number only where there is no name."""
    delimiters = context.message.delimiters
    parts = delimiters.split(raw, delimiters.component)
    if delimiters.subcomponent and delimiters.subcomponent in parts[0]:
        # NDL (OBR-32): the name is one component, its parts are subcomponents.
        parts = delimiters.split(parts[0], delimiters.subcomponent)
    return _name(parts[1:4], context).text or context.text(parts[0])


def _name(parts: list[str], context: Context) -> PersonName:
    """Of family, given and further names as sent."""
    read = [context.subcomponents(part)[0] if part else "" for part in parts[:3]]
    pieces = [" ".join(piece.split()) for piece in read if piece]
    if not any(_HAN.search(piece) for piece in pieces):
        text = " ".join(pieces)
        return PersonName(text, text if _LATIN.fullmatch(text) else "")
    latin = " ".join(piece for piece in pieces if _LATIN.fullmatch(piece))
    # 王　芳 is padded for the eye; a name in Han characters has no blanks.
    text = "".join(piece.replace(" ", "") for piece in pieces if not _LATIN.fullmatch(piece))
    return PersonName(text, latin)
