"""Images that pydicom installs for its own tests: other makers' headers and compressed pixels, given to our patients.

Only files within the installed package are used; nothing is fetched.
"""

from collections.abc import Iterator

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import FileDataset

from .er7 import ZONE
from .imaging import Examination, identify

# JPEG 2000 and JPEG-LS lossless MR, a CT in plain little endian, a compressed colour picture.
NAMES = (
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "CT_small.dcm",
    "examples_jpeg2k.dcm",
)


def datasets(examinations: Iterator[Examination]) -> Iterator[tuple[Examination, FileDataset]]:
    """One file for each examination, while both last; pixels and technical header stay as they were."""
    for name, examination in zip(NAMES, examinations, strict=False):
        path = get_testdata_file(name, download=False)
        if isinstance(path, str):
            yield examination, _given_to(dcmread(path), examination, name)


def _given_to(dataset: FileDataset, examination: Examination, name: str) -> FileDataset:
    # Text of the former charset would be read wrongly under the new one.
    for element in [e for e in dataset if e.VR in {"LO", "LT", "PN", "SH", "ST", "UT"}]:
        if not element.tag.is_private and not str(element.value).isascii():
            del dataset[element.tag]
    dataset.remove_private_tags()
    local = examination.performed_at.astimezone(ZONE)
    identify(dataset, examination)
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = f"{local:%Y%m%d}"
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = f"{local:%H%M%S}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = examination.uid("study"), examination.uid("series")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = examination.uid("instance", name)
    return dataset
