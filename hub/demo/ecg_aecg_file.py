"""An examination as an HL7 annotated ECG. Source: ANSI/HL7 V3 ECG R1-2004, PORT_MT020001."""

import datetime as dt
from xml.etree.ElementTree import Element, SubElement, tostring

from schemas.patient import Sex

from .ecg_examination import MANUFACTURER, MODEL, Examination

_MDC = "2.16.840.1.113883.6.24"
_ACT = "2.16.840.1.113883.5.4"
_SUBJECT = ("componentOf", "timepointEvent", "componentOf", "subjectAssignment", "subject", "trialSubject")


def xml(examination: Examination, *, encoding: str = "UTF-8") -> bytes:
    """The document in the encoding that it declares, such as `UTF-8` or `GB2312`."""
    document = _Tree(Element("AnnotatedECG", {"xmlns": "urn:hl7-org:v3", "type": "Observation"}))
    document.root.set("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
    document.leaf(document.root, "id", root=examination.uid("document"))
    document.leaf(document.root, "code", code="93000", codeSystem="2.16.840.1.113883.6.12", codeSystemName="CPT-4")
    _time(document, document.root, examination)
    _subject(document, examination)
    _series(document, examination)
    text = tostring(document.root, encoding="unicode")
    # Carts that declare GB 2312 write what Windows calls by that name.
    codec = "gb18030" if encoding.upper().startswith("GB") else encoding
    return f'<?xml version="1.0" encoding="{encoding}"?>\n{text}\n'.encode(codec)


class _Tree:
    """An element tree under construction."""

    def __init__(self, root: Element) -> None:
        self.root = root

    def path(self, at: Element, *tags: str) -> Element:
        """The last of newly made elements, each within the one before."""
        for tag in tags:
            at = SubElement(at, tag)
        return at

    def leaf(self, at: Element, tag: str, text: str = "", **attributes: str) -> Element:
        """A new element with attributes and text."""
        element = SubElement(at, tag, attributes)
        element.text = text or None
        return element


def _stamp(moment: dt.datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S") + ".000" + moment.strftime("%z")


def _time(tree: _Tree, at: Element, examination: Examination) -> None:
    end = examination.observed_at + dt.timedelta(seconds=examination.signal.recording.duration_s)
    interval = tree.path(at, "effectiveTime")
    tree.leaf(interval, "low", value=_stamp(examination.observed_at))
    tree.leaf(interval, "high", value=_stamp(end))


def _subject(tree: _Tree, examination: Examination) -> None:
    subject = tree.path(tree.root, *_SUBJECT)
    tree.leaf(subject, "id", root=examination.uid("authority"), extension=examination.patient_id)
    person = tree.path(subject, "subjectDemographicPerson")
    tree.leaf(person, "name", examination.name)
    gender = {Sex.MALE: "M", Sex.FEMALE: "F"}.get(examination.sex, "UN")
    tree.leaf(person, "administrativeGenderCode", code=gender, codeSystem="2.16.840.1.113883.5.1")
    tree.leaf(person, "birthTime", value=examination.birth_date.strftime("%Y%m%d"))


def _series(tree: _Tree, examination: Examination) -> None:
    recording = examination.signal.recording
    series = tree.path(tree.root, "component", "series")
    tree.leaf(series, "id", root=examination.uid("series"))
    tree.leaf(series, "code", code="RHYTHM", codeSystem=_ACT, codeSystemName="ActCode")
    _time(tree, series, examination)
    author = tree.path(series, "author", "seriesAuthor")
    tree.leaf(tree.path(author, "manufacturedSeriesDevice"), "manufacturerModelName", MODEL)
    tree.leaf(tree.path(author, "manufacturerOrganization"), "name", MANUFACTURER)
    sequences = tree.path(series, "component", "sequenceSet")
    clock = tree.path(sequences, "component", "sequence")
    tree.leaf(clock, "code", code="TIME_ABSOLUTE", codeSystem=_ACT, codeSystemName="ActCode")
    value = tree.leaf(clock, "value", **{"xsi:type": "GLIST_TS"})
    tree.leaf(value, "head", value=_stamp(examination.observed_at))
    tree.leaf(value, "increment", value=f"{1 / recording.sampling_rate_hz:g}", unit="s")
    for lead, samples in zip(recording.leads, recording.samples_uv, strict=True):
        sequence = tree.path(sequences, "component", "sequence")
        tree.leaf(sequence, "code", code=f"MDC_ECG_LEAD_{lead.upper()}", codeSystem=_MDC, codeSystemName="MDC")
        value = tree.leaf(sequence, "value", **{"xsi:type": "SLIST_PQ"})
        tree.leaf(value, "origin", value="0", unit="uV")
        tree.leaf(value, "scale", value="1", unit="uV")
        tree.leaf(value, "digits", " ".join(map(str, samples.tolist())))
    _annotations(tree, series, examination)


def _annotations(tree: _Tree, series: Element, examination: Examination) -> None:
    measured = examination.signal.measurements
    rows = (
        ("MDC_ECG_HEART_RATE", measured.heart_rate, "bpm"),
        ("MDC_ECG_TIME_PD_PR", measured.pr_ms, "ms"),
        ("MDC_ECG_TIME_PD_QRS", measured.qrs_ms, "ms"),
        ("MDC_ECG_TIME_PD_QT", measured.qt_ms, "ms"),
        ("MDC_ECG_TIME_PD_QTcB", measured.qtc_ms, "ms"),
        ("MDC_ECG_ANGLE_QRS_FRONT", measured.axis_deg, "deg"),
    )
    annotations = tree.path(series, "subjectOf", "annotationSet")
    tree.leaf(annotations, "activityTime", value=_stamp(examination.observed_at))
    for code, value, unit in rows:
        if value is not None:
            annotation = tree.path(annotations, "component", "annotation")
            tree.leaf(annotation, "code", code=code, codeSystem=_MDC, codeSystemName="MDC")
            tree.leaf(annotation, "value", **{"xsi:type": "PQ", "value": str(value), "unit": unit})
    interpretation = tree.path(annotations, "component", "annotation")
    tree.leaf(interpretation, "code", code="MDC_ECG_INTERPRETATION", codeSystem=_MDC, codeSystemName="MDC")
    lines = examination.statements + ((f"Confirmed by {examination.confirmed_by}",) if examination.confirmed_by else ())
    for text in lines:
        statement = tree.path(interpretation, "component", "annotation")
        tree.leaf(statement, "code", code="MDC_ECG_INTERPRETATION_STATEMENT", codeSystem=_MDC, codeSystemName="MDC")
        tree.leaf(statement, "value", text, **{"xsi:type": "ST"})
