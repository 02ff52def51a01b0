"""HL7 v2 over MLLP and as files: laboratory, ECG and imaging results (ORU), demographics (ADT)."""

from adapters.contract import Adapter
from schemas.delivery import Format

from .account import examine
from .batch import announces
from .editing import EDITOR
from .mllp import listener
from .reader import read
from .repairs import REPAIRS
from .sender import sender
from .strict import conformance

__all__ = ["ADAPTER", "listener", "sender"]

ADAPTER = Adapter(
    name="hl7v2",
    readers={Format.HL7V2: read},
    sniffers={Format.HL7V2: announces},
    media_types={Format.HL7V2: "x-application/hl7-v2+er7"},
    listener=listener,
    examiners={Format.HL7V2: examine},
    # What is no message yet may become one: its text is edited the same way.
    editors={Format.HL7V2: EDITOR, Format.UNKNOWN: EDITOR},
    repairs=REPAIRS,
    strict={Format.HL7V2: conformance},
    sender=sender,
)
