"""Every adapter of the hub: one line each."""

from collections.abc import Callable, Mapping

from adapters import dicom, ecg, hl7v2
from schemas.accounts import Examine
from schemas.conformance import Conformance
from schemas.delivery import Format, Meaning, Read
from schemas.editing import Editor
from schemas.header import Describe

from .contract import HEAD_BYTES, Adapter

# In the order in which they are asked whether a content is theirs: the surest sign first.
ADAPTERS: tuple[Adapter, ...] = (dicom.ADAPTER, ecg.ADAPTER, hl7v2.ADAPTER)

READERS: Mapping[Format, Read] = {kind: reader for adapter in ADAPTERS for kind, reader in adapter.readers.items()}

EXAMINERS: Mapping[Format, Examine] = {
    kind: examine for adapter in ADAPTERS for kind, examine in adapter.examiners.items()
}

EDITORS: Mapping[Format, Editor] = {kind: editor for adapter in ADAPTERS for kind, editor in adapter.editors.items()}

STRICT: Mapping[Format, Callable[[bytes], Conformance]] = {
    kind: strict for adapter in ADAPTERS for kind, strict in adapter.strict.items()
}

DESCRIBERS: Mapping[Format, Describe] = {
    kind: describe for adapter in ADAPTERS for kind, describe in adapter.describers.items()
}

MEANINGS: Mapping[Format, Meaning] = {
    kind: meaning for adapter in ADAPTERS for kind, meaning in adapter.meanings.items()
}

REPAIRS: tuple[str, ...] = tuple(name for adapter in ADAPTERS for name in adapter.repairs)


def sniff(head: bytes) -> Format:
    """The format that a content's head announces, UNKNOWN where none does."""
    for adapter in ADAPTERS:
        for kind, announces in adapter.sniffers.items():
            if announces(head[:HEAD_BYTES]):
                return kind
    return Format.UNKNOWN
