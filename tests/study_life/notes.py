"""Key object selections, made without any code of the hub; and images sent, seen and kept."""

from collections.abc import Sequence

from pydicom import Dataset
from pydicom.uid import KeyObjectSelectionDocumentStorage, generate_uid

from hub.access import disclosure_for
from schemas.study import InstanceRecord
from storage import studies
from tests.api.dicomweb.bodies import store
from tests.imaging import AUDITOR, CLINICIAN, TECHNICIAN, ImagingHub, ct, part10


def note(title: str, images: Sequence[Dataset], **changes: object) -> Dataset:
    """A key object selection of `title` (DCM) that names these images, in their study, of their patient."""
    first = images[0]
    ds = Dataset()
    for keyword in (
        "SpecificCharacterSet",
        "StudyInstanceUID",
        "PatientID",
        "PatientName",
        "PatientBirthDate",
        "PatientSex",
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "StudyID",
    ):
        ds[keyword] = first[keyword]
    ds.SOPClassUID, ds.SOPInstanceUID = KeyObjectSelectionDocumentStorage, generate_uid()
    ds.SeriesInstanceUID, ds.Modality, ds.SeriesNumber, ds.InstanceNumber = generate_uid(), "KO", 99, 1
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = [_code(title)]
    ds.CurrentRequestedProcedureEvidenceSequence = [_evidence(images)]
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


def slices(number: int) -> list[Dataset]:
    """A series of CT images, 5 mm apart."""
    first = ct()
    return [
        ct(
            StudyInstanceUID=first.StudyInstanceUID,
            SeriesInstanceUID=first.SeriesInstanceUID,
            InstanceNumber=n,
            ImagePositionPatient=[0, 0, 5.0 * n],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        )
        for n in range(1, number + 1)
    ]


def _code(value: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", "a title"
    return code


def _evidence(images: Sequence[Dataset]) -> Dataset:
    study, series = Dataset(), Dataset()
    study.StudyInstanceUID = images[0].StudyInstanceUID
    series.SeriesInstanceUID = images[0].SeriesInstanceUID
    series.ReferencedSOPSequence = []
    for image in images:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
        series.ReferencedSOPSequence.append(item)
    study.ReferencedSeriesSequence = [series]
    return study


def sent(hub: ImagingHub, *images: Dataset) -> None:
    """By STOW-RS, each taken."""
    with hub.client(TECHNICIAN) as client:
        for ds in images:
            answer = store(client, part10(ds))
            assert answer.status_code == 200, answer.text


def seen(hub: ImagingHub, images: list[Dataset]) -> list[str]:
    """What a clinician finds of their study."""
    with hub.client(CLINICIAN) as client:
        answer = client.get(f"/studies/{images[0].StudyInstanceUID}/instances")
        return [each["00080018"]["Value"][0] for each in answer.json()] if answer.status_code == 200 else []


def kept(hub: ImagingHub, images: list[Dataset]) -> tuple[InstanceRecord, ...]:
    """What the index has of their study, hidden or not."""
    with hub.verbs.database.read() as tx:
        return studies.instances(tx, disclosure_for(AUDITOR), images[0].StudyInstanceUID, hidden=True)
