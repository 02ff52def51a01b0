"""What was scanned, as pydicom's own data set, for parts that work on those."""

from collections.abc import Callable
from functools import cache

from pydicom import Dataset, Sequence
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.sr.codedict import codes
from pydicom.tag import BaseTag

from .charset import TEXT_VRS
from .header import SPECIFIC_CHARACTER_SET, Header
from .structure import PIXELS, SIGNED_OR_NOT, UNDEFINED, Element


def as_dataset(header: Header, long: Callable[[Element], bytes]) -> Dataset:
    """A data set whose text is UTF-8, repaired where it had to be. Pixel data are left out.

    long: gives the values that were located but not read.
    """
    elements: dict[BaseTag, DataElement | RawDataElement] = {}
    for tag, element in header.dataset.elements.items():
        base = BaseTag(tag)
        if element.items is not None:
            items = [as_dataset(header.item(item), long) for item in element.items]
            elements[base] = DataElement(base, "SQ", Sequence(items))
        elif tag not in PIXELS and tag != SPECIFIC_CHARACTER_SET and element.length != UNDEFINED:
            value = element.value if element.value is not None else long(element)
            if element.vr in TEXT_VRS:
                value = header.charset.decode(value).encode("utf-8", "replace")
            vr = "US" if element.vr == SIGNED_OR_NOT else element.vr
            elements[base] = RawDataElement(base, vr, len(value), value, element.offset, False, element.little)
    dataset = Dataset(elements)
    dataset.set_original_encoding(False, True, "utf-8")
    dataset.SpecificCharacterSet = "ISO_IR 192"
    return dataset


@cache
def _modalities() -> dict[str, str]:
    return {code.value: code.meaning for code in (getattr(codes.cid29, name) for name in codes.cid29.dir())}


def modality_name(modality: str) -> str:
    """What a modality is called in context group 29 (PS3.16); the code itself where it is not listed there."""
    return _modalities().get(modality, modality)
