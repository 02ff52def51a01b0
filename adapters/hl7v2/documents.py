"""Documents inside OBX (ED), base64 as a rule, now and then cut into several OBX; and pointers to others (RP).

Source: HL7 v2 chapters 2A.24 and 2A.65.
"""

import base64
import binascii
import codecs
import re
from dataclasses import dataclass

from schemas.codes import Coding
from schemas.report import Attachment, Pointer

from .context import Context
from .er7 import Segment

# What the content itself says. A sender's word alone never makes a browser run what it is handed.
_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"BM", "image/bmp"),
    (b"{\\rtf", "application/rtf"),
    (b"PK\x03\x04", "application/zip"),
)
_BEGINNINGS = ("JVBERi0", "/9j/", "iVBORw0K", "R0lGOD", "SUkqA", "TU0AK", "e1xydGY", "UEsDB")
# RP.4, table 0291, as media types; what a sender writes else stays unnamed.
_POINTED = {"PDF": "application/pdf", "JPEG": "image/jpeg", "PNG": "image/png", "DICOM": "application/dicom"}
_LONGEST_ADDRESS = 2000
_ESCAPED = re.compile(r"\\(?:X(?:0[AaDd]|20)*|\.br)\\")


@dataclass(slots=True)
class Piece:
    """The text of an embedded document, or of its beginning. `index`: of the OBX that it came in."""

    index: int
    code: Coding
    encoding: str
    content: list[str]

    def continues(self, other: "Piece") -> bool:
        """Whether this is the next part of `other` rather than a document of its own."""
        if self.code != other.code or self.encoding != other.encoding or not self.content[0]:
            return False
        return not self.content[0].startswith(_BEGINNINGS) and not other.content[-1].endswith("=")


def piece(obx: Segment, index: int, code: Coding, context: Context) -> Piece | None:
    """The document of an OBX of type ED; None, and flagged, where it holds none."""
    delimiters = context.message.delimiters
    parts = delimiters.split(obx[5], delimiters.component)
    if len(parts) < 5 or not parts[4].strip():
        context.ledger.flagged(index, 5, "expected a document in the fifth component, found none")
        return None
    content = delimiters.component.join(parts[4:])
    if delimiters.escape and delimiters.escape in content:
        content = _ESCAPED.sub("", content) if delimiters.escape == "\\" else context.text(content)
    encoding = parts[3].strip().upper()
    if encoding != "A":
        content = "".join(content.split())
    return Piece(index, code, encoding, [content])


def attachment(found: Piece, context: Context) -> Attachment | None:
    """The document, put among the message's parts; None, and flagged, where its encoding is damaged."""
    content = _content(found)
    if not content:
        context.ledger.flagged(found.index, 5, "document damaged: not in the encoding it names")
        return None
    context.parts.append(content)
    return Attachment.of(content, media_type(content), found.code.display or found.code.code)


def _content(found: Piece) -> bytes:
    text = "".join(found.content)
    try:
        if found.encoding == "HEX":
            return bytes.fromhex(text)
        if found.encoding == "A":
            return text.encode("utf-8", "replace")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def media_type(content: bytes) -> str:
    """What the content is, as far as its first bytes tell; never a type that a browser would run."""
    known = next((kind for magic, kind in _MAGIC if content.startswith(magic)), "")
    if known:
        return known
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(content[:1024])
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "application/octet-stream" if any(ord(c) < 9 for c in text) else "text/plain"


def pointer(obx: Segment, index: int, code: Coding, context: Context) -> list[Pointer]:
    """Where the documents of an OBX of type RP are said to lie. Nobody goes there: what answers may be anything."""
    found = []
    for repetition in context.repetitions(obx[5]):
        parts = [*context.components(repetition), "", "", "", ""]
        address = parts[0][:_LONGEST_ADDRESS]
        if address:
            kind = _POINTED.get(parts[3].upper(), "")
            found.append(Pointer(address, code.display or code.code, kind))
    said = "points to a document elsewhere: kept as a pointer, never fetched" if found else "expected a pointer"
    context.ledger.flagged(index, 5, said)
    return found
