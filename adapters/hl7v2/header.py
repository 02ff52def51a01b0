"""Who sends what and which answer it wants: MSH alone, read before and apart from the rest.

A message whose body is hopeless still gets an answer in its own terms, so nothing here raises.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

from schemas.faults import InvalidPayload

from .charset import Decoded, decode
from .delimiters import Delimiters
from .er7 import Message, tokenize
from .repairs import standard_encoding_characters

# Table 0155. Analysers put other things in MSH-15 and MSH-16 (Mindray: the kind of result); those mean nothing here.
_CONDITIONS = frozenset({"AL", "NE", "ER", "SU"})
_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class Header:
    """MSH as far as answering needs it; every text field as sent, escapes included."""

    delimiters: Delimiters
    codec: str
    sending_application: str = ""
    sending_facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    code: str = ""
    trigger: str = ""
    control_id: str = ""
    processing_id: str = ""
    version: str = ""
    accept_condition: str = ""
    application_condition: str = ""
    charset: str = ""

    @property
    def facility(self) -> str:
        """MSH-4: the short name of the sending facility, else its universal id."""
        return self.delimiters.first(self.sending_facility) or self.delimiters.first(self.sending_facility, 2)

    @property
    def enhanced(self) -> bool:
        """Whether the sender asks for enhanced acknowledgement mode (chapter 2.9.3)."""
        return bool(self.accept_condition or self.application_condition)


def header(content: bytes) -> Header:
    """The header of a message; an empty one where there is none to be found."""
    start = max(content.find(b"MSH"), 0)
    mark = content[:3] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else b""
    line = content if mark or b"\0" in content[:4] else content[start : start + _LONGEST].splitlines()[:1]
    message = _lenient(decode(line if isinstance(line, bytes) else b"".join(line)))
    if message is None:
        return Header(Delimiters(), "utf-8")
    msh = message.header
    first = message.delimiters.first
    conditions = [first(msh[n]) if first(msh[n]) in _CONDITIONS else "" for n in (15, 16)]
    # Lines that are no segments belong to MSH as any other; an answer must not carry them back as segments.
    sent = [" ".join(field.splitlines()) for field in msh.fields] + [""] * 19
    return Header(
        message.delimiters,
        message.decoded.codec,
        sending_application=sent[3],
        sending_facility=sent[4],
        receiving_application=sent[5],
        receiving_facility=sent[6],
        code=first(sent[9]),
        trigger=first(sent[9], 2),
        control_id=sent[10],
        processing_id=sent[11],
        version=sent[12],
        accept_condition=conditions[0],
        application_condition=conditions[1],
        charset=sent[18],
    )


def _lenient(decoded: Decoded) -> Message | None:
    """The header's line; where MSH-2 is of no use, as if it were the standard's: its sender's profile may say so."""
    for text in (decoded.text, standard_encoding_characters(decoded.text)):
        with suppress(InvalidPayload):
            return tokenize(replace(decoded, text=text))
    return None
