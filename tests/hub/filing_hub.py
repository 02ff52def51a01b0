"""A hub that takes ECGs of every form, and the worker that files them as DICOM, to be called by hand."""

from collections.abc import Iterator
from contextlib import contextmanager

from adapters import dicom
from adapters.registry import READERS, sniff
from hub.ingest import Ingest
from hub.offering import Documents, Filing
from hub.portal.render import FONT
from schemas.delivery import Format
from tests.engines import Engines
from tests.imaging import ImagingHub, imaging_hub


@contextmanager
def filing_hub(urls: Engines) -> Iterator[tuple[ImagingHub, Filing, Ingest]]:
    """Knows the sources of `imaging_hub`."""
    with imaging_hub(urls) as hub:
        database, objects = hub.verbs.database, hub.verbs.objects
        senders = hub.verbs.ingest.identify.__self__  # type: ignore[attr-defined]
        ingest = Ingest(database, objects, senders, READERS, sniff)
        documents = Documents(objects, dicom.REPORT_WRITER, FONT)
        yield hub, Filing(database, objects, documents, READERS[Format.DICOM]), ingest
        ingest.close()
