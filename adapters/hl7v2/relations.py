"""What a result says of the result that it goes on from, and of who asked for it.

Source: HL7 v2 chapters 4.5.1.21 (ORC-21, ordering facility), 4.5.3.26 (OBR-26, parent result)
and 4.5.3.29 (OBR-29, parent).
"""

from schemas.report import Parent

from .coded import best
from .context import LONGEST_TOKEN, Context
from .er7 import Segment


def parent(orc: Segment, obr: Segment, context: Context) -> Parent | None:
    """The culture that susceptibilities belong to, and the organism in it; None where the order stands by itself."""
    if not (obr[26] or obr[29] or orc[8]):
        return None
    placer, filler = numbers(obr[29] or orc[8], context)
    delimiters = context.message.delimiters
    result = [*delimiters.split(delimiters.split(obr[26], delimiters.repetition)[0], delimiters.component), "", "", ""]
    code = best(context.subcomponents(result[0]), context.origin.source.organization)
    sub_id, value = context.text(result[1])[:LONGEST_TOKEN], context.text(result[2])
    own = [context.token(obr, n) or context.token(orc, n) for n in (2, 3)]
    if not code.code and {placer, filler} <= {*own, ""}:
        return None  # no order, or its own once more
    if not (placer or filler):
        if not (sub_id or value or code.display):
            # One word alone is a neighbouring field that slipped: a result status, mostly.
            return None
        # A sender that names the result alone means one of the same order.
        placer, filler = own
    return Parent(placer, filler, code, sub_id, value)


def numbers(raw: str, context: Context) -> tuple[str, str]:
    """The placer's and the filler's number of an EIP."""
    first = context.message.delimiters.first
    found = [context.subcomponents(part)[0] if (part := first(raw, n)) else "" for n in (1, 2)]
    return found[0][:LONGEST_TOKEN], found[1][:LONGEST_TOKEN]


def requesters(orc: Segment, obr: Segment, context: Context) -> tuple[str, ...]:
    """Names that may be the ordering institution's: ORC-21, ORC-17, who gave out the placer's number, MSH-6."""
    names = [*ordering_facilities(orc, context), *placer_authorities(obr[2] or orc[2], context)]
    receiver = context.message.header[6]
    if receiver:
        names.append(context.first(context.message.header, 6))
    return tuple(dict.fromkeys(name[:LONGEST_TOKEN] for name in names if name))


def ordering_facilities(orc: Segment, context: Context) -> list[str]:
    """ORC-21 (XON: identifier, number, name) and ORC-17."""
    found = [context.first(orc, 21, component) for component in (10, 3, 1)] if orc[21] else []
    return found + ([context.first(orc, 17, component) for component in (1, 2)] if orc[17] else [])


def placer_authorities(raw: str, context: Context) -> list[str]:
    """Who gave out a placer order number (EI.2, EI.3)."""
    delimiters = context.message.delimiters
    if delimiters.component not in raw:
        return []
    return [context.text(delimiters.first(raw, component)) for component in (2, 3)]
