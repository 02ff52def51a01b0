"""Acknowledgements: what became of a message, in the message's own delimiters and character set.

Source: HL7 v2 chapter 2.9 (original and enhanced mode), 2.13.1 (ACK), tables 0008 and 0357.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterator

from schemas.delivery import Receipt
from schemas.faults import Category, Fault

from .escapes import escape
from .header import Header

# Original mode. Enhanced accept codes differ in the first letter alone: CA, CE, CR.
CODES: dict[Category, str] = {
    Category.INVALID: "AE",
    Category.UNSUPPORTED: "AR",
    Category.NOT_FOUND: "AE",
    Category.CONFLICT: "AE",
    Category.FORBIDDEN: "AR",
    Category.BUSY: "AR",
    Category.INTERNAL: "AR",
}

# ERR-3, table 0357: the nearest that the table has.
CONDITIONS: dict[Category, str] = {
    Category.INVALID: "102^Data type error",
    Category.UNSUPPORTED: "200^Unsupported message type",
    Category.NOT_FOUND: "204^Unknown key identifier",
    Category.CONFLICT: "205^Duplicate key identifier",
    Category.FORBIDDEN: "207^Application internal error",
    Category.BUSY: "206^Application record locked",
    Category.INTERNAL: "207^Application internal error",
}

_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+)(?:\.(\d+)(?:\.(\d+))?)?)?")


def acknowledgements(header: Header, fault: Fault | None, receipt: Receipt | None) -> list[bytes]:
    """What the sender is owed for one message: one acknowledgement in original mode; in enhanced mode the accept
    and the application acknowledgement, each only if the sender's MSH-15 and MSH-16 ask for it.

    The same header, fault and receipt give the same bytes.
    """
    code = CODES[fault.category] if fault else "AA"
    codes = [code] if not header.enhanced else list(_wanted(header, code))
    return [_acknowledgement(header, each, fault, receipt) for each in codes]


def _wanted(header: Header, code: str) -> Iterator[str]:
    asking = {"AL"} | ({"SU"} if code == "AA" else {"ER"})
    if header.accept_condition in asking:
        yield "C" + code[1]
    if header.application_condition in asking:
        yield code


def _acknowledgement(header: Header, code: str, fault: Fault | None, receipt: Receipt | None) -> bytes:
    d = header.delimiters
    segments = [_msh(header, code, receipt), ["MSA", code, header.control_id, escape(fault.text, d) if fault else ""]]
    if fault:
        segments.append(_err(header, fault))
    text = "".join(d.field.join(fields).rstrip(d.field) + "\r" for fields in segments)
    try:
        return text.encode(header.codec, "surrogateescape")
    except (UnicodeError, LookupError):
        return text.encode("utf-8", "replace")


def _msh(header: Header, code: str, receipt: Receipt | None) -> list[str]:
    d = header.delimiters
    at = receipt.received_at if receipt else dt.datetime.now(dt.UTC)
    sent = at.astimezone(dt.UTC).strftime("%Y%m%d%H%M%S+0000")
    return [
        "MSH",
        d.encoding_characters,
        header.receiving_application,
        header.receiving_facility,
        header.sending_application,
        header.sending_facility,
        sent,
        "",
        d.component.join(["ACK", header.trigger, "ACK"]) if header.trigger else "ACK",
        _control_id(header, code, receipt, sent),
        header.processing_id or "P",
        header.version or "2.5.1",
        *[""] * 5,
        header.charset,
    ]


def _control_id(header: Header, code: str, receipt: Receipt | None, sent: str) -> str:
    """Our MSH-10: from the delivery, so that the same delivery earns the same acknowledgement."""
    if receipt:
        return f"{code}{receipt.delivery_id}"
    seed = f"{header.sending_facility}{header.control_id}{sent}".encode("utf-8", "replace")
    return code + hashlib.sha256(seed).hexdigest()[:16]


def _err(header: Header, fault: Fault) -> list[str]:
    d = header.delimiters
    condition = CONDITIONS[fault.category].split("^")
    return [
        "ERR",
        "",
        d.component.join(_location(fault.where)),
        d.component.join([*condition, "HL70357"]),
        "E",
        "",
        "",
        escape(fault.where, d),
        escape(fault.text, d),
    ]


def _location(where: str) -> list[str]:
    """ERL (ERR-2) of a place such as `PID[1]-3.4`; empty where it is no place in a message."""
    place = _PLACE.fullmatch(where)
    if not place:
        return [""]
    segment, sequence, field, component, subcomponent = place.groups()
    parts = [segment, sequence or "1", field, "1" if component else None, component, subcomponent]
    return [part for part in parts if part is not None]
