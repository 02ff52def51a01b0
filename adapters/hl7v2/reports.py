"""An order group to a Report. Source: HL7 v2 chapters 4.5.3 (OBR), 7.3.1 (ORU), 7.4.3 (SPM)."""

import datetime as dt
import hashlib

from schemas.codes import Coding
from schemas.observation import Observation
from schemas.patient import Patient
from schemas.report import Attachment, Report, ReportCategory, ReportStatus

from . import statuses
from .categories import category
from .coded import coding
from .contents import Content, content, texts_of
from .context import LONGEST_TOKEN, Context
from .er7 import Segment
from .groups import Group
from .observations import Order, code_of
from .persons import staff_name
from .relations import parent, requesters
from .studies import accession_number, study_instance_uid
from .times import moment
from .values import plain

_NO_SEGMENT = Segment("", [], "")
# An analyser's sample number of the day, which comes again tomorrow for somebody else.
_SHORTEST_NUMBER = 4


def report(group: Group, patient: Patient, context: Context) -> Report:
    """The report that an order group is; its `key` not yet told from others of the same message."""
    obr = group.obr[1] if group.obr else _NO_SEGMENT
    orc = group.orc[1] if group.orc else _NO_SEGMENT
    _account_for_order(group, orc, obr, context)
    codes = [code_of(result.obx, result.index, context) for result in group.results]
    service = coding(obr[4], context)
    if not service.code and codes:
        service = codes[0]
    kind = category(context.first(obr, 24), service, codes)
    status, flags = _status(group, obr, context)
    received = context.moment(obr, 14, group.obr[0]) if group.obr else None
    found = content(group.results, codes, kind, Order(statuses.of_report(status), received), context)
    attachments = found.attachments(context)
    placer, filler = (context.token(obr, n) or context.token(orc, n) for n in (2, 3))
    observed = _observed_at(group, obr, found.observations, context)
    return Report(
        key=_key(placer, filler, service, observed, group, context, flags),
        category=kind,
        status=status,
        code=service,
        patient=patient,
        organization=context.origin.source.organization,
        observed_at=observed,
        issued_at=context.moment(obr, 22, group.obr[0]) if group.obr else None,
        placer_order_number=placer,
        filler_order_number=filler,
        accession_number=accession_number(group, obr, context) if kind is ReportCategory.IMAGING else "",
        specimen=_specimen(group, obr, context),
        performers=_performers(group, obr, context),
        findings="\n".join(found.findings + texts_of(group.notes, context) + _of_specimen(group, context)),
        conclusion="\n".join(found.conclusions),
        observations=tuple(found.observations),
        attachments=attachments,
        pointers=tuple(found.pointers),
        parent=parent(orc, obr, context),
        study_instance_uid=study_instance_uid(group, codes, context) if kind is ReportCategory.IMAGING else "",
        flags=_flags(flags, kind, observed, found, attachments),
        requesters=requesters(orc, obr, context),
        sent_at=moment(context.message.delimiters.first(context.message.header[7]), context.origin.source.time_zone),
    )


def _account_for_order(group: Group, orc: Segment, obr: Segment, context: Context) -> None:
    if group.obr:
        context.ledger.mapped(group.obr[0])
    if group.orc is None:
        return
    numbers = any(orc[n] and not context.token(obr, n) for n in (2, 3))
    if numbers or orc[17] or orc[21] or (orc[8] and not obr[29]):
        context.ledger.mapped(group.orc[0])
    else:
        context.ledger.kept(group.orc[0], "says nothing that its OBR does not say; kept as sent")


def _flags(
    flags: list[str],
    kind: ReportCategory,
    observed: dt.datetime | None,
    found: Content,
    attachments: tuple[Attachment, ...],
) -> tuple[str, ...]:
    if kind is ReportCategory.ECG:
        flags.append("no-waveform")
    if observed is None:
        flags.append("observed-at-missing")
    if found.pointers:
        flags.append("document-elsewhere")
    if found.empty and not attachments:
        flags.append("no-results")
    return tuple(flags)


def _status(group: Group, obr: Segment, context: Context) -> tuple[ReportStatus, list[str]]:
    told = context.first(obr, 25).upper()
    if told in statuses.REPORT:
        return statuses.REPORT[told], []
    if told and group.obr:
        context.ledger.flagged(group.obr[0], 25, "result status of an unknown code, status taken from the results")
    found = statuses.of_results(context.first(result.obx, 11).upper() for result in group.results)
    # Nobody has said that it is final, so nobody may be told that it is.
    return (found, []) if found else (ReportStatus.PRELIMINARY, ["status-missing"])


def _observed_at(group: Group, obr: Segment, observations: list[Observation], context: Context) -> dt.datetime | None:
    """The patient's clock: OBR-7, else collection of the specimen (SPM-17), else the first result's (OBX-14)."""
    if group.obr and (found := context.moment(obr, 7, group.obr[0])):
        return found
    for index, specimen in group.specimens:
        if specimen.name == "SPM" and (found := context.moment(specimen, 17, index)):
            return found
    return min((each.observed_at for each in observations if each.observed_at), default=None)


def _specimen(group: Group, obr: Segment, context: Context) -> str:
    """SPM-4, else OBR-15: its words, else its code."""
    for index, specimen in group.specimens:
        context.ledger.mapped(index)
        found = coding(specimen[4 if specimen.name == "SPM" else 6], context)
        if found.display or found.code:
            return found.display or found.code
    parts = context.subcomponents(context.message.delimiters.first(obr[15])) if obr[15] else []
    return next((part for part in parts if not part.isascii()), next((p for p in parts[1:] if p), "".join(parts[:1])))


def _of_specimen(group: Group, context: Context) -> list[str]:
    """What was observed of the specimen itself. No result of the patient: as one it would stand in a trend."""
    lines = []
    for result in group.of_specimen:
        context.ledger.mapped(result.index)
        name, unit = coding(result.obx[3], context), context.first(result.obx, 6)
        value = plain(result.obx[5], context).replace("\n", ", ")
        if value:
            lines.append(f"SPM · {name.display or name.code}: {value} {unit}".strip())
        lines += texts_of(result.notes, context)
    return lines


def _performers(group: Group, obr: Segment, context: Context) -> tuple[str, ...]:
    """OBR-32 (who interpreted), OBX-16 (who answers for a result), each once."""
    fields = dict.fromkeys([obr[32], *(result.obx[16] for result in group.results)])
    names = (staff_name(each, context) for raw in fields for each in context.repetitions(raw))
    return tuple(dict.fromkeys(name for name in names if name))


def _key(
    placer: str,
    filler: str,
    service: Coding,
    observed: dt.datetime | None,
    group: Group,
    context: Context,
    flags: list[str],
) -> str:
    """The source's own identity of the report: filler order number and service, or the next best there is."""
    number = filler
    if filler.isdecimal() and len(filler) < _SHORTEST_NUMBER:
        flags.append("order-number-weak")
        number = "/".join(part for part in (filler, placer, f"{observed:%Y%m%d}" if observed else "") if part)
    if not number:
        specimen = next((each for _, spm in group.specimens if (each := _barcode(spm, context))), "")
        number = f"placer:{placer}" if placer else f"specimen:{specimen}" if specimen else ""
    if not number:
        flags.append("order-number-missing")
        number = f"message:{message_identity(context)}"
    return f"{number}|{service.code}"[: 2 * LONGEST_TOKEN]


def _barcode(spm: Segment, context: Context) -> str:
    """SPM-2, an EIP: the filler's number of the specimen, else the placer's; SAC-3, the container's."""
    if spm.name == "SAC":
        return context.token(spm, 3)
    parts = [*context.message.delimiters.split(context.message.delimiters.first(spm[2], 2), "&"), ""]
    return context.text(parts[0]) or context.text(context.message.delimiters.first(spm[2]).partition("&")[0])


def message_identity(context: Context) -> str:
    """MSH-10 alone is not enough: some analysers always send 1. With the time it tells messages apart."""
    header = context.message.header
    if header[10] and len(header[7]) >= len("YYYYMMDDHHMMSS"):
        return f"{context.token(header, 10)}@{context.token(header, 7)}"
    # As text: a profile's repairs may have changed its lines, of which each may have a character set of its own.
    return hashlib.sha256(str(context.message).encode("utf-8", "surrogatepass")).hexdigest()[:32]
