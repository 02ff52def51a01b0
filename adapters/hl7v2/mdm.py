"""MDM^T02 and its kin, documents with their content, to reports.

A document is known by its unique number (TXA-12). Editing it, or replacing it by another (TXA-13), makes the next
version of the same report; an addendum is a report of its own that names its parent.
Source: HL7 v2 chapter 9.5 and 9.6, tables 0270, 0271 and 0273.
"""

from schemas.codes import Coding
from schemas.delivery import Reading
from schemas.faults import InvalidPayload
from schemas.identifiers import Identifier
from schemas.report import Parent, Report, ReportCategory, ReportStatus

from . import statuses
from .categories import category
from .coded import coding
from .contents import Content, content, texts_of
from .context import LONGEST_TOKEN, Context
from .er7 import Segment
from .groups import Group, Placed, order_groups
from .observations import Order, code_of
from .patients import patient
from .persons import staff_name
from .relations import requesters
from .reports import message_identity
from .studies import accession_number, study_instance_uid

_NO_SEGMENT = Segment("", [], "")
_DOCUMENT_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0270"
DOCUMENT = "urn:dxhub:document:"

# Table 0271. What nobody has signed is preliminary, however far its typing has come.
_COMPLETION = {"AU": ReportStatus.FINAL, "LA": ReportStatus.FINAL}
_UNSIGNED = frozenset({"DI", "DO", "IN", "IP", "PA"})
# Table 0273. Deleted, and made obsolete by another.
_GONE = frozenset({"CA", "OB"})
# Table 0270, where the type of a document tells whose work it is.
_CATEGORIES = {"DI": ReportCategory.IMAGING, "SP": ReportCategory.LABORATORY, "CD": ReportCategory.OTHER}


def read(context: Context) -> Reading:
    """The report that a document is. Raises InvalidPayload without a patient or without TXA."""
    segments = list(enumerate(context.message.segments))
    pid = next((placed for placed in segments if placed[1].name == "PID"), None)
    txa = next((placed for placed in segments if placed[1].name == "TXA"), None)
    if pid is None or txa is None:
        missing = "TXA" if pid else "PID"
        raise InvalidPayload(f"expected a {missing} segment, found none", where=missing)
    made = _report(txa, _whole(pid, context), context)
    return Reading(reports=(made,), parts=tuple(dict.fromkeys(context.parts)))


def _whole(pid: Placed, context: Context) -> Group:
    """Everything that the document holds, as one group: it is one report, whatever orders it names."""
    whole = Group(pid)
    for group in order_groups(context.message):
        whole.orc, whole.obr = whole.orc or group.orc, whole.obr or group.obr
        whole.notes += group.notes
        whole.results += group.results
        whole.studies += group.studies
    return whole


def _report(placed: Placed, group: Group, context: Context) -> Report:
    index, txa = placed
    assert group.pid is not None
    obr = group.obr[1] if group.obr else _NO_SEGMENT
    orc = group.orc[1] if group.orc else _NO_SEGMENT
    for known in (placed, group.obr, group.orc):
        if known:
            context.ledger.mapped(known[0])
    described = patient(group.pid[1], group.pid[0], context)
    status, flags = _status(txa, index, context)
    codes = [code_of(result.obx, result.index, context) for result in group.results]
    service = coding(obr[4], context) if obr[4] else _document_type(txa, context)
    kind = _category(txa, obr, service, codes, context)
    # The text of a document is its text, whatever laboratory wrote it.
    written = ReportCategory.OTHER if kind is ReportCategory.LABORATORY else kind
    found = content(group.results, codes, written, Order(statuses.of_report(status), None), context)
    attachments = found.attachments(context)
    number, earlier = (context.token(txa, n) for n in (12, 13))
    trigger = context.first(context.message.header, 9, 2)
    key = f"document:{number or message_identity(context)}"
    replaces = f"document:{earlier}" if earlier and trigger == "T10" else key
    return Report(
        key=key,
        category=kind,
        status=ReportStatus.CORRECTED if trigger == "T10" and status is ReportStatus.FINAL else status,
        code=service,
        patient=described,
        organization=context.origin.source.organization,
        observed_at=context.moment(txa, 4, index),
        issued_at=next((at for n in (8, 7, 6) if (at := context.moment(txa, n, index))), None),
        identifiers=_identifiers(number, context),
        placer_order_number=context.token(txa, 14) or context.token(obr, 2) or context.token(orc, 2),
        filler_order_number=context.token(txa, 15) or context.token(obr, 3) or context.token(orc, 3),
        accession_number=accession_number(group, obr, context) if kind is ReportCategory.IMAGING else "",
        performers=_performers(txa, context),
        findings="\n".join(found.findings + texts_of(group.notes, context)),
        conclusion="\n".join(found.conclusions),
        observations=tuple(found.observations),
        attachments=attachments,
        pointers=tuple(found.pointers),
        study_instance_uid=study_instance_uid(group, codes, context) if kind is ReportCategory.IMAGING else "",
        flags=_flags(flags, number, found, has_documents=bool(attachments)),
        parent=Parent(filler_order_number=f"document:{earlier}") if earlier and trigger == "T06" else None,
        replaces=replaces,
        requesters=requesters(orc, obr, context),
    )


def _flags(flags: list[str], number: str, found: Content, *, has_documents: bool) -> tuple[str, ...]:
    if not number:
        flags.append("order-number-missing")
    if found.pointers:
        flags.append("document-elsewhere")
    if found.empty and not has_documents:
        flags.append("no-results")
    return tuple(flags)


def _status(txa: Segment, index: int, context: Context) -> tuple[ReportStatus, list[str]]:
    """TXA-17 (how far it has come), overruled by TXA-19 (whether it may still be used) and by a cancellation."""
    completion, availability = context.first(txa, 17).upper(), context.first(txa, 19).upper()
    if context.first(txa, 18).upper() in ("R", "V"):
        context.ledger.flagged(index, 18, "restricted by its source; shown here as every report is")
    if context.first(context.message.header, 9, 2) == "T11" or availability == "CA":
        return ReportStatus.CANCELLED, []
    if availability in _GONE:
        return ReportStatus.ENTERED_IN_ERROR, []
    if completion in _COMPLETION:
        return _COMPLETION[completion], []
    if completion not in _UNSIGNED:
        context.ledger.flagged(index, 17, "completion status missing or of an unknown code, taken as unsigned")
        return ReportStatus.PRELIMINARY, ["status-missing"]
    return ReportStatus.PRELIMINARY, []


def _document_type(txa: Segment, context: Context) -> Coding:
    """TXA-2: table 0270, or a code of the source's own where it names a system."""
    code, display, system = (context.first(txa, 2, component)[:LONGEST_TOKEN] for component in (1, 2, 3))
    return coding(txa[2], context) if system else Coding(code, display, _DOCUMENT_TYPES if code else "")


def _category(txa: Segment, obr: Segment, service: Coding, codes: list[Coding], context: Context) -> ReportCategory:
    section = context.first(obr, 24)
    if section:
        return category(section, service, codes)
    return _CATEGORIES.get(context.first(txa, 2).upper(), ReportCategory.OTHER)


def _identifiers(number: str, context: Context) -> tuple[Identifier, ...]:
    return (Identifier(DOCUMENT + context.origin.source.organization, number),) if number else ()


def _performers(txa: Segment, context: Context) -> tuple[str, ...]:
    """TXA-22 (who signed it), TXA-9 (who wrote it), TXA-5 (who did what it is about), each once."""
    names = (staff_name(each, context) for n in (22, 9, 5) for each in context.repetitions(txa[n]))
    return tuple(dict.fromkeys(name for name in names if name))
