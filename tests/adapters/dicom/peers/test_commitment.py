"""Storage commitment as a modality asks for it: on its own association, or told later on one of ours."""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.events import Event
from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]

from adapters.dicom import CommitmentCourier
from hub.archive import Commitments
from storage import commitments as rows
from storage.objects_disk import DiskObjects
from tests.imaging import ImagingHub
from tests.receiving import eventually, free_port

from .conftest import allow
from .test_find import sent

INSTANCE = "1.2.840.10008.1.20.1.1"


class Modality:
    """Asks for commitment and hears what became of it."""

    def __init__(self, answer: int = 0x0000) -> None:
        self.reports: list[tuple[int, Dataset]] = []
        self.answer = answer
        self.heard = threading.Event()
        self._stays, self._gone = True, threading.Event()

    def handlers(self) -> list[Any]:
        return [(evt.EVT_N_EVENT_REPORT, self._report)]

    def _report(self, event: Event) -> tuple[int, None]:
        self.reports.append((int(event.event_type or 0), event.event_information))
        self.heard.set()
        if not self._stays:
            # The report may overtake the hanging up: whoever is about to leave does not answer it.
            self._gone.wait(20)
        return self.answer, None

    def ask(
        self, hub: ImagingHub, asked: Dataset, *, stay: bool = True, action: int = 1, calling: str = "CHC01"
    ) -> int:
        """The status of the N-ACTION. stay: until the report has come, on the same association."""
        self._stays = stay
        ae = AE(calling)
        ae.add_requested_context(StorageCommitmentPushModel)
        association = ae.associate("127.0.0.1", hub.listener.port, evt_handlers=self.handlers())
        status, _ = association.send_n_action(asked, action, StorageCommitmentPushModel, INSTANCE)
        if stay and status.Status == 0:
            assert self.heard.wait(20)
            association.release()
        else:
            association.abort()
            self._gone.set()
        return int(status.Status)

    @contextmanager
    def listening(self, port: int) -> Iterator[None]:
        ae = AE("CHC01")
        ae.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
        server = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=self.handlers())
        assert server is not None
        try:
            yield
        finally:
            server.shutdown()


def request(*references: tuple[str, str], uid: str = "") -> Dataset:
    ds = Dataset()
    ds.TransactionUID = uid or generate_uid()
    ds.ReferencedSOPSequence = []
    for sop_class, instance in references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
        ds.ReferencedSOPSequence.append(item)
    return ds


def named(sequence: list[Dataset]) -> set[str]:
    return {str(item.ReferencedSOPInstanceUID) for item in sequence}


def test_what_is_kept_is_committed_on_the_same_association(hub: ImagingHub, tmp_path: Path) -> None:
    ds, modality = sent(hub, tmp_path), Modality()
    asked = request((ds.SOPClassUID, ds.SOPInstanceUID))
    assert modality.ask(hub, asked) == 0x0000
    ((event, told),) = modality.reports
    assert event == 1
    assert (told.TransactionUID, told.RetrieveAETitle) == (asked.TransactionUID, "DXHUB")
    assert named(told.ReferencedSOPSequence) == {ds.SOPInstanceUID}
    assert "FailedSOPSequence" not in told


def test_what_is_not_here_not_so_or_not_theirs_is_named_with_its_reason(small_hub: ImagingHub, tmp_path: Path) -> None:
    good, spoilt, other = sent(small_hub, tmp_path), sent(small_hub, tmp_path), sent(small_hub, tmp_path, "CHC02")
    objects = small_hub.verbs.objects
    assert isinstance(objects, DiskObjects)
    with small_hub.verbs.database.read() as tx:
        query = "select digest from instance where sop_instance_uid = '%s'"
        digest = tx.exec_driver_sql(query % spoilt.SOPInstanceUID).scalar_one()
    objects.close()  # from now on it has a file of its own
    path = objects.path(digest)
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    absent, modality = generate_uid(), Modality()
    asked = request(
        (good.SOPClassUID, good.SOPInstanceUID),
        (spoilt.SOPClassUID, spoilt.SOPInstanceUID),
        (good.SOPClassUID, other.SOPInstanceUID),
        (good.SOPClassUID, absent),
        ("1.2.840.10008.5.1.4.1.1.4", good.SOPInstanceUID),
    )
    assert modality.ask(small_hub, asked) == 0x0000
    ((event, told),) = modality.reports
    assert event == 2
    assert named(told.ReferencedSOPSequence) == {good.SOPInstanceUID}
    assert {(str(each.ReferencedSOPInstanceUID), each.FailureReason) for each in told.FailedSOPSequence} == {
        (spoilt.SOPInstanceUID, 0x0110),
        (other.SOPInstanceUID, 0x0112),
        (absent, 0x0112),
        (good.SOPInstanceUID, 0x0119),
    }


def test_a_transaction_uid_stands_for_one_request(small_hub: ImagingHub, tmp_path: Path) -> None:
    first, second = sent(small_hub, tmp_path), sent(small_hub, tmp_path)
    uid = generate_uid()
    for instance, event in ((first, 1), (first, 1), (second, 2)):
        modality = Modality()
        modality.ask(small_hub, request((instance.SOPClassUID, instance.SOPInstanceUID), uid=uid))
        assert [number for number, _ in modality.reports] == [event]
    told = modality.reports[0][1]
    assert (told.TransactionUID, told.FailedSOPSequence[0].FailureReason) == (uid, 0x0131)


def test_who_has_hung_up_is_told_on_another_association_until_it_hears(small_hub: ImagingHub, tmp_path: Path) -> None:
    ds, modality = sent(small_hub, tmp_path), Modality()
    database, objects, port = small_hub.verbs.database, small_hub.verbs.objects, free_port()
    allow(small_hub, "CHC01", port=port)
    asked = request((ds.SOPClassUID, ds.SOPInstanceUID))
    assert modality.ask(small_hub, asked, stay=False) == 0x0000
    commitments = Commitments(database, objects, CommitmentCourier("DXHUB", None))

    def due() -> int:
        with database.read() as tx:
            return len(rows.due(tx, dt.datetime.now(dt.UTC)))

    def tell_after(pause: dt.timedelta) -> int:
        """As if so much time had passed; how many wait still."""
        with database.write() as tx:
            earlier = "update storage_commitment set next_attempt_at = next_attempt_at - ?"
            tx.exec_driver_sql(earlier, (pause // _US,))
        commitments.tell()
        with database.read() as tx:
            query = "select count(*) from storage_commitment where state = 'waiting'"
            return int(tx.exec_driver_sql(query).scalar_one())

    eventually(lambda: due() == 1)  # the hub has noticed that nobody is there any more
    modality.reports.clear()
    assert tell_after(dt.timedelta()) == 1  # nobody listens yet
    with modality.listening(port):
        assert tell_after(dt.timedelta(seconds=1)) == 1  # not yet its turn again
        modality.answer = 0x0110
        assert tell_after(dt.timedelta(minutes=2)) == 1  # heard, and refused
        modality.answer = 0x0000
        assert tell_after(dt.timedelta(minutes=4)) == 0
    assert [event for event, _ in modality.reports] == [1, 1]
    assert {told.TransactionUID for _, told in modality.reports} == {asked.TransactionUID}


_US = dt.timedelta(microseconds=1)


def test_hostile_requests_are_refused(small_hub: ImagingHub) -> None:
    modality = Modality()
    assert modality.ask(small_hub, request(("1.2", "1.2.3")), action=7) == 0x0123
    assert modality.ask(small_hub, request()) == 0x0115
    assert modality.ask(small_hub, request(("", ""))) == 0x0115
    empty = Dataset()
    empty.ReferencedSOPSequence = []
    assert modality.ask(small_hub, empty) == 0x0115
    assert modality.reports == []
