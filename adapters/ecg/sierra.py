"""Philips Sierra XML (documents SierraECG and PhilipsECG). Source: Philips, ECG XML schema 1.03 to 1.04.02."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element

from schemas.delivery import Origin, Reading
from schemas.faults import InvalidPayload, UnsupportedPayload

from . import findings, groups, identity, sierra_waveform, xml
from .clock import date, timestamp
from .content import whole
from .measurement_codes import (
    HEART_RATE,
    P_AXIS,
    P_DURATION,
    PR_INTERVAL,
    QRS_AXIS,
    QRS_DURATION,
    QT_INTERVAL,
    QTC_INTERVAL,
    RR_INTERVAL,
    T_AXIS,
)
from .measurements import Measured, measured
from .statements import confirmed

_MAX_BYTES = 8 * 1024 * 1024
_ROOT = "restingecgdata"
_DOCUMENTS = ("SierraECG", "PhilipsECG")
_VERSION = re.compile(r"1\.0[34](\.\d+)?")
# As edited by a reader (1.04 and 1.03 name them differently); then QTc by other formulas, which count when alone.
_MEASURED = {
    "heartrate": (HEART_RATE, ""),
    "rrint": (RR_INTERVAL, ""),
    "pdur": (P_DURATION, ""),
    "print": (PR_INTERVAL, ""),
    "meanprint": (PR_INTERVAL, ""),
    "qrsdur": (QRS_DURATION, ""),
    "meanqrsdur": (QRS_DURATION, ""),
    "qtint": (QT_INTERVAL, ""),
    "meanqtint": (QT_INTERVAL, ""),
    "qtcb": (QTC_INTERVAL, "Bazett"),
    "meanqtc": (QTC_INTERVAL, "Bazett"),
    "qtcf": (QTC_INTERVAL, "Fridericia"),
    "pfrontaxis": (P_AXIS, ""),
    "qrsfrontaxis": (QRS_AXIS, ""),
    "tfrontaxis": (T_AXIS, ""),
}
_READ = frozenset({"documentinfo", "dataacquisition", "patient", "interpretations", "waveforms"})
_SIGNED_BY = re.compile(r"\bby:?\s*(.+)$", re.IGNORECASE)


def looks_like(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a Sierra document."""
    return xml.begins(head, b"restingecgdata")


def read(content: BinaryIO, origin: Origin) -> Reading:
    """One report with its recording. Raises InvalidPayload, UnsupportedPayload or IdentityConflict."""
    data = whole(content, _MAX_BYTES)
    decoded, repaired = xml.decoded(data, origin.source.charset)
    root = xml.parse(decoded)
    if root.tag != _ROOT:
        raise InvalidPayload(f"expected {_ROOT} as the root element", where="/")
    _known(root)
    recording, flags = groups.recording(sierra_waveform.groups(root))
    recording, cut = sierra_waveform.without_calibration(recording)
    acquired, read_as = root.find("dataacquisition"), root.find("interpretations/interpretation")
    signature = _text(read_as, "mdsignatureline")
    signed = _SIGNED_BY.search(signature)
    found = findings.Findings(
        told=_told(root.find("patient/generalpatientdata")),
        recording=recording,
        flags=flags + ("calibration-cut",) * cut + ("charset-repaired",) * repaired,
        started_at=_moment(acquired, origin.source.time_zone),
        statements=tuple(_statements(read_as)),
        measured=tuple(_measured(read_as)),
        final=confirmed([signature]),
        performers=(signed[1],) if signed else (),
        issued_at=_moment(read_as, origin.source.time_zone),
        placer_order_number=_text(root.find("orderinfo"), "ordernumber"),
        device=f"Philips {_machine(acquired)}",
        kept=tuple(f"{tag}: kept in the original" for tag in dict.fromkeys(e.tag for e in root) if tag not in _READ),
    )
    return findings.reading(found, data, origin)


def _known(root: Element) -> None:
    kind, version = root.findtext("documentinfo/documenttype"), root.findtext("documentinfo/documentversion")
    if (kind or "").strip() not in _DOCUMENTS or not _VERSION.fullmatch((version or "").strip()):
        expected = "expected a SierraECG or PhilipsECG document, version 1.03 or 1.04"
        raise UnsupportedPayload(expected, where="documentinfo")


def _machine(acquired: Element | None) -> str:
    machine = acquired.find("machine") if acquired is not None else None
    return machine.get("machineid", "") if machine is not None else ""


def _text(parent: Element | None, path: str) -> str:
    """The text at a path; empty where there is none, and for the row of dashes that stands for none."""
    text = (parent.findtext(path) or "").strip() if parent is not None else ""
    return text if text.strip("- ") else ""


def _told(person: Element | None) -> identity.Told:
    family = _text(person, "name/lastname") or _text(person, "lastname")
    given = _text(person, "name/firstname") or _text(person, "firstname")
    born = _text(person, "age/dateofbirth") or _text(person, "dateofbirth")
    return identity.Told(
        number=_text(person, "patientid") or _text(person, "MRN"),
        name=identity.full_name(family, given),
        birth_date=date(born),
        sex=_text(person, "sex"),
        where="generalpatientdata/patientid",
    )


def _moment(element: Element | None, zone: str) -> dt.datetime | None:
    if element is None:
        return None
    return timestamp((element.get("date", "") + element.get("time", "")).replace("-", "").replace(":", ""), zone)


def _measured(read_as: Element | None) -> Iterator[Measured]:
    blocks = ("globalmeasurements", "interpretationmeasurements")
    found = [block for name in blocks if read_as is not None and (block := read_as.find(name)) is not None]
    for element in found[0] if found else ():
        what, method = _MEASURED.get(element.tag, (None, ""))
        value = measured(what, element.text or "", method=method) if what else None
        if value:
            yield value


def _statements(read_as: Element | None) -> Iterator[str]:
    """Each with the reason that the program gives, then the severity of all."""
    for statement in read_as.findall("statement") if read_as is not None else ():
        said, because = _text(statement, "leftstatement"), _text(statement, "rightstatement")
        yield f"{said} ({because})" if said and because else said or because
    yield _text(read_as, "severity").strip("- ")
