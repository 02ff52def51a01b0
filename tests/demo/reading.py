"""Reads what the demo makes with the hub's own readers, as if it had arrived."""

import datetime as dt
import io

from adapters.registry import READERS, sniff
from hub.demo.district import district
from schemas.delivery import Channel, Origin, PatientHint, Reading

_SOURCES = {source.name: source for source in district().sources}


def read(sender: str, content: bytes, hint: PatientHint | None = None) -> Reading:
    """What the reader of the content's own format finds in it."""
    origin = Origin(_SOURCES[sender], Channel.UPLOAD, dt.datetime.now(dt.UTC), hint=hint)
    return READERS[sniff(content[:4096])](io.BytesIO(content), origin)
