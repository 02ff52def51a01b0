"""A PDF: what many carts make of a recording that nobody gets out of them."""

from typing import BinaryIO

from schemas.delivery import Origin, Reading
from schemas.faults import InvalidPayload

from . import document
from .content import whole

_MAX_BYTES = 64 * 1024 * 1024


def looks_like(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a PDF."""
    return head.startswith(b"%PDF-")


def read(content: BinaryIO, origin: Origin) -> Reading:
    """One report with the document. Raises InvalidPayload where it is damaged, or nobody says whose it is."""
    data = whole(content, _MAX_BYTES)
    if not looks_like(data):
        raise InvalidPayload("expected a PDF header", where="byte 0")
    if b"%%EOF" not in data[-2048:]:
        raise InvalidPayload("PDF is cut short: its end mark is missing", where="%%EOF")
    return document.reading(
        data, "application/pdf", origin, "PDF", "a PDF cannot say whose it is: the upload must name "
    )
