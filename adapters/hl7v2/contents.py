"""What the OBX of a group amount to: single results, running text, documents, and pointers to documents.

Source: HL7 v2 chapters 7.4.2 (OBX), 2A.24 (ED), 2A.65 (RP).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from schemas.codes import Coding
from schemas.observation import Observation
from schemas.report import Attachment, Pointer, ReportCategory

from .categories import is_conclusion
from .context import Context
from .documents import Piece, attachment, piece, pointer
from .er7 import Segment
from .groups import Placed, Result
from .observations import Order, observation
from .studies import is_study_reference
from .values import plain

_RUNNING_TEXT = frozenset({"TX", "FT"})
_TEXT = _RUNNING_TEXT | {"ST"}


@dataclass(slots=True)
class Content:
    """What results amount to, in the order in which they came."""

    observations: list[Observation] = field(default_factory=list)
    documents: list[Piece] = field(default_factory=list)
    pointers: list[Pointer] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    conclusions: list[str] = field(default_factory=list)

    def attachments(self, context: Context) -> tuple[Attachment, ...]:
        """The documents, put among the message's parts."""
        return tuple(found for each in self.documents if (found := attachment(each, context)))

    @property
    def empty(self) -> bool:
        """Whether they say nothing, apart from documents: those may be damaged."""
        return not (self.observations or self.pointers or self.findings or self.conclusions)


def content(
    results: Iterable[Result], codes: list[Coding], kind: ReportCategory, order: Order, context: Context
) -> Content:
    """What these results, whose OBX-3 are `codes`, amount to in a report of that kind."""
    found = Content()
    last, kind_of_last = None, ""
    for result, code in zip(results, codes, strict=True):
        context.ledger.mapped(result.index)
        notes = tuple(texts_of(result.notes, context)) if result.notes else ()
        if result.obx.continued:
            context.ledger.flagged(result.index, 0, "holds lines that are no segments, taken as its text")
        if result.obx[2] in ("ED", "RP"):
            _document(result, code, found, context)
            found.findings += notes
        elif kind is ReportCategory.IMAGING and is_study_reference(result.obx, code, context):
            continue
        elif text := _running_text(result, code, kind, context):
            (found.conclusions if is_conclusion(code) else found.findings).append("\n".join([text, *notes]))
        else:
            said = observation(result, code, notes, order, context)
            in_text = result.obx[2] in _RUNNING_TEXT and kind_of_last in _RUNNING_TEXT
            last = _joined(last, said, result.obx, found.observations, in_text=in_text)
            kind_of_last = result.obx[2]
    return found


def _document(result: Result, code: Coding, found: Content, context: Context) -> None:
    if result.obx[2] == "RP":
        found.pointers += pointer(result.obx, result.index, code, context)
        return
    part = piece(result.obx, result.index, code, context)
    if part is None:
        return
    if found.documents and part.continues(found.documents[-1]):
        found.documents[-1].content += part.content
    else:
        found.documents.append(part)


def _running_text(result: Result, code: Coding, kind: ReportCategory, context: Context) -> str:
    """The text of a reading, where the OBX is part of one; empty where it is a result of its own."""
    obx = result.obx
    if kind is ReportCategory.LABORATORY or obx[6] or obx[2] not in _TEXT:
        return ""
    written = kind in (ReportCategory.IMAGING, ReportCategory.OTHER)
    if is_conclusion(code) or (obx[2] in _RUNNING_TEXT and written):
        return plain(obx[5], context)
    return ""


def _joined(
    last: Observation | None, found: Observation, obx: Segment, into: list[Observation], *, in_text: bool
) -> Observation:
    """Adds an observation, or to the one before it where one text was spread over many OBX.

    in_text: both are running text; the lines behind the first are then often without a name of their own.
    """
    if (
        isinstance(found.value, str)
        and last is not None
        and obx[2] in _TEXT
        and isinstance(last.value, str)
        and not found.unit
        and (_same_item(last, found) or (in_text and not (found.code.code or found.sub_id)))
    ):
        into.pop()
        found = _with_text(last, found)
    into.append(found)
    return found


def _same_item(last: Observation, found: Observation) -> bool:
    return (last.code, last.sub_id, last.unit) == (found.code, found.sub_id, "")


def _with_text(last: Observation, found: Observation) -> Observation:
    return replace(
        last,
        value=f"{last.value}\n{found.value}",
        reference_range=last.reference_range or found.reference_range,
        interpretation=tuple(dict.fromkeys(last.interpretation + found.interpretation)),
        status=found.status,
        notes=last.notes + found.notes,
    )


def texts_of(placed: list[Placed], context: Context) -> list[str]:
    """NTE-3 of each; the ones without a comment are paragraph breaks and say nothing here."""
    for index, _ in placed:
        context.ledger.mapped(index)
    return [text for _, note in placed if (text := plain(note[3], context))]
