"""Escape sequences of HL7 v2 (chapter 2.7), both ways.

What cannot be understood (vendor `\\Z..\\`, a lone backslash, character set shifts) stays as sent: guessing would
change a result's text.
"""

from .delimiters import Delimiters

# Formatting commands of FT fields, by what is left of them in plain text.
_LAYOUT = {".br": "\n", ".sp": "\n", ".ce": "\n", ".sk": " ", ".fi": "", ".nf": "", ".in": "", ".ti": ""}


def unescape(text: str, delimiters: Delimiters, codec: str = "utf-8") -> str:
    """The text that a field's content stands for. `codec`: in which `\\X..\\` bytes are to be read."""
    mark = delimiters.escape
    if not mark or mark not in text:
        return text
    out: list[str] = []
    at = 0
    while (start := text.find(mark, at)) >= 0:
        stop = text.find(mark, start + 1)
        if stop < 0:
            break
        meaning = _meaning(text[start + 1 : stop], delimiters, codec)
        out.append(text[at:start])
        if meaning is None:
            # Not a sequence: the mark is literal, and the next mark may still open one.
            out.append(mark)
            at = start + 1
        else:
            out.append(meaning)
            at = stop + 1
    out.append(text[at:])
    return "".join(out)


def _meaning(body: str, delimiters: Delimiters, codec: str) -> str | None:
    """What stands for the sequence with this body; None where it is not one that we understand."""
    if len(body) == 1:
        return delimiters.meanings.get(body)
    if body[:1] == "X":
        return _hexadecimal(body[1:], codec)
    if body[:1] == ".":
        layout = _LAYOUT.get(body[:3])
        argument = body[3:].lstrip("+-")
        return layout if layout is not None and (not argument or argument.isdecimal()) else None
    return None


def _hexadecimal(digits: str, codec: str) -> str | None:
    try:
        content = bytes.fromhex(digits)
    except ValueError:
        return None
    # A NUL would travel into databases that cannot hold one, and means nothing in a text.
    return content.decode(codec, "replace").replace("\0", "")


def escape(text: str, delimiters: Delimiters) -> str:
    """`text` as a field's content: reading it back with `unescape` gives the same text."""
    return text.translate(delimiters.escapes) if delimiters.escape else text
