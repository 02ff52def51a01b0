"""From the upload of a technician to what a clinician opens, through real stores."""

import io
from collections.abc import Iterator

import numpy as np
import pytest

from adapters.registry import READERS, sniff
from hub.demo import ecg_files
from hub.ingest import Ingest
from hub.retrieve import Retrieve
from schemas.delivery import PatientHint, State
from schemas.report import ReportCriteria
from tests.adapters.ecg.examples import OBSERVED_AT, PATIENT, examination
from tests.engines import Engines
from tests.hub.kernel import TECHNICIAN, Kernel, kernel

FILES = {
    "DICOM": ecg_files.part10(examination()),
    "aECG in GB 2312": ecg_files.xml(examination(), encoding="GB2312"),
    "SCP-ECG": ecg_files.record(examination()),
}


@pytest.fixture
def hub(migrated_urls: Engines) -> Iterator[Kernel]:
    """A hub that reads what carts send."""
    made = kernel(migrated_urls)
    made.ingest.close()
    made.ingest = Ingest(made.database, made.objects, made.senders, READERS, sniff)
    yield made
    made.ingest.close()
    made.database.close()


@pytest.mark.parametrize("name", FILES)
def test_recording_is_opened_as_it_was_sampled(hub: Kernel, name: str) -> None:
    receipt = hub.ingest.upload(hub.ask(TECHNICIAN), io.BytesIO(FILES[name]))
    assert (receipt.state, receipt.text) == (State.INDEXED, "")
    (found,) = hub.query.reports(hub.ask(), ReportCriteria(ids=receipt.report_ids, category=None)).items
    assert found.report.patient.name.text == "王弢"
    assert "前壁导联ST段抬高" in found.report.conclusion
    assert found.observed_at == OBSERVED_AT
    assert found.report.recording
    recording = Retrieve(hub.database, hub.objects).recording(hub.ask(), found.id)
    assert np.array_equal(recording.samples_uv, examination().signal.recording.samples_uv)
    assert recording.started_at == OBSERVED_AT


def test_document_is_opened_byte_for_byte(hub: Kernel) -> None:
    document = ecg_files.pdf(examination())
    hint = PatientHint(PATIENT, "ecg", "常规心电图", OBSERVED_AT)
    receipt = hub.ingest.upload(hub.ask(TECHNICIAN), io.BytesIO(document), hint=hint)
    assert receipt.state is State.INDEXED
    (found,) = hub.query.reports(hub.ask(), ReportCriteria(ids=receipt.report_ids)).items
    (attachment,) = found.report.attachments
    content = Retrieve(hub.database, hub.objects).attachment(hub.ask(), found.id, attachment.digest)
    assert b"".join(content.chunks) == document


def test_broken_record_is_kept_and_refused_with_its_place(hub: Kernel) -> None:
    damaged = bytearray(FILES["SCP-ECG"])
    damaged[5000] ^= 1
    receipt = hub.ingest.upload(hub.ask(TECHNICIAN), io.BytesIO(bytes(damaged)))
    assert (receipt.state, receipt.where) == (State.QUARANTINED, "record")
    assert hub.objects.read(receipt.digest) == bytes(damaged)


def test_document_of_nobody_is_kept_and_says_what_is_missing(hub: Kernel) -> None:
    receipt = hub.ingest.upload(hub.ask(TECHNICIAN), io.BytesIO(ecg_files.pdf(examination())))
    assert receipt.state is State.QUARANTINED
    assert "must name patient" in receipt.text
