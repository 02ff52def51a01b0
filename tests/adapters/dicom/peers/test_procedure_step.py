"""MPPS as a modality tells it."""

from pydicom import Dataset
from pydicom.uid import CTImageStorage, generate_uid
from pynetdicom import AE
from pynetdicom.sop_class import ModalityPerformedProcedureStep as Step  # type: ignore[attr-defined]

from schemas.network import StepState
from storage import procedure_steps
from tests.imaging import ImagingHub

STUDY = "1.2.826.0.1.3680043.8.498.77"


def created(status: str | None = "IN PROGRESS") -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "GB18030"
    ds.PatientName, ds.PatientID, ds.Modality = "张^三", "P0001", "CT"
    if status is not None:
        ds.PerformedProcedureStepStatus = status
    item = Dataset()
    item.StudyInstanceUID, item.AccessionNumber = STUDY, "A1"
    ds.ScheduledStepAttributesSequence = [item]
    ds.PerformedSeriesSequence = []
    return ds


def completed(*sop_uids: str, status: str = "COMPLETED") -> Dataset:
    ds = Dataset()
    ds.PerformedProcedureStepStatus = status
    series = Dataset()
    series.SeriesInstanceUID = "1.2.3.4"
    series.ReferencedImageSequence = []
    for uid in sop_uids:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, uid
        series.ReferencedImageSequence.append(item)
    ds.PerformedSeriesSequence = [series]
    return ds


class Modality:
    """An association of a modality."""

    def __init__(self, hub: ImagingHub, calling: str = "CHC01") -> None:
        ae = AE(calling)
        ae.add_requested_context(Step)
        self.association = ae.associate("127.0.0.1", hub.listener.port)

    def create(self, ds: Dataset, uid: str | None = None) -> Dataset:
        return self.association.send_n_create(ds, Step, uid)[0]

    def set(self, ds: Dataset, uid: str) -> Dataset:
        return self.association.send_n_set(ds, Step, uid)[0]

    def end(self) -> None:
        self.association.release()


def announced(hub: ImagingHub, study: str = STUDY, accession: str = "") -> list[tuple[StepState, set[str]]]:
    with hub.verbs.database.read() as tx:
        known = procedure_steps.known_of_study(tx, study, accession)
    return [(each.state, set(each.sop_instance_uids)) for each in known]


def test_a_step_begins_is_completed_and_is_changed_no_more(hub: ImagingHub) -> None:
    modality, uid = Modality(hub), generate_uid()
    assert modality.create(created(), uid).Status == 0x0000
    assert announced(hub) == [(StepState.IN_PROGRESS, set())]
    assert modality.create(created(), uid).Status == 0x0111
    assert modality.set(completed("1.2.1", "1.2.2"), uid).Status == 0x0000
    assert announced(hub) == [(StepState.COMPLETED, {"1.2.1", "1.2.2"})]
    late = modality.set(completed("1.2.3"), uid)
    assert (late.Status, late.ErrorID) == (0x0110, 0xA710)
    assert announced(hub) == [(StepState.COMPLETED, {"1.2.1", "1.2.2"})]
    modality.end()
    with hub.verbs.database.read() as tx:
        rows = tx.exec_driver_sql("select command, content from procedure_step_message order by id").all()
        trail = tx.exec_driver_sql("select entity, detail from audit where action = 'receive' order by id").all()
    assert [row[0] for row in rows] == ["N-CREATE", "N-SET"]
    assert "张^三".encode("gb18030") in bytes(rows[0][1])
    assert [tuple(row) for row in trail] == [("ProcedureStep/1", "N-CREATE CHC01"), ("ProcedureStep/1", "N-SET CHC01")]


def test_a_discontinued_step_and_one_without_a_uid_of_its_own(small_hub: ImagingHub) -> None:
    modality = Modality(small_hub)
    assert modality.create(created()).Status == 0x0000
    with small_hub.verbs.database.read() as tx:
        uid = str(tx.exec_driver_sql("select sop_instance_uid from procedure_step").scalar_one())
    assert modality.set(completed("1.2.1", status="DISCONTINUED"), uid).Status == 0x0000
    assert modality.set(completed("1.2.1"), uid).Status == 0x0110
    modality.end()
    assert announced(small_hub) == [(StepState.DISCONTINUED, {"1.2.1"})]


def test_a_step_of_an_order_alone_is_found_by_its_accession_number(small_hub: ImagingHub) -> None:
    modality, ds = Modality(small_hub), created()
    ds.ScheduledStepAttributesSequence[0].StudyInstanceUID = ""
    assert modality.create(ds).Status == 0x0000
    modality.end()
    assert announced(small_hub) == []
    assert announced(small_hub, accession="A1") == [(StepState.IN_PROGRESS, set())]


def test_steps_that_cannot_be_are_refused(small_hub: ImagingHub) -> None:
    modality, stranger, uid = Modality(small_hub), Modality(small_hub, "CHC02"), generate_uid()
    assert modality.create(created(None)).Status == 0x0120
    assert modality.create(created("COMPLETED")).Status == 0x0106
    assert modality.create(created("WHATEVER")).Status == 0x0106
    assert modality.set(completed("1.2.1"), uid).Status == 0x0112
    assert modality.create(created(), uid).Status == 0x0000
    assert stranger.set(completed("1.2.1"), uid).Status == 0x0112
    empty = completed("1.2.1")
    empty.PerformedSeriesSequence = []
    assert modality.set(empty, uid).Status == 0x0120
    assert announced(small_hub) == [(StepState.IN_PROGRESS, set())]
    modality.end()
    stranger.end()
