"""Which orders get a card: those that a prior result may answer. A reminder that answers nothing is noise."""

import uuid

from schemas.card import KeptCard, ShownCard
from schemas.ordering import PlannedOrder
from schemas.recognition import Order
from schemas.verdict import Advice, Answer, Judged


def card_of(order: PlannedOrder, answer: Answer) -> ShownCard | None:
    """The card of an order; None where nothing, or not all of it, is there to be reused."""
    leading = leading_of(answer)
    if not leading:
        return None
    reports = dict.fromkeys((each.prior.record.id, each.prior.record.version) for each in leading)
    item = answer.item.code if answer.item else ""
    told = Order(
        number=order.number,
        code=order.services[0].code if order.services else "",
        display=answer.display,
        setting=order.told_setting,
        diagnosis=order.diagnosis,
    )
    return ShownCard(str(uuid.uuid4()), answer, KeptCard(tuple(reports), item, told), order.reference)


def leading_of(answer: Answer) -> tuple[Judged, ...]:
    """For each item the result to reuse, or a near match where nothing else is; empty unless each item has one."""
    found = []
    for line in answer.lines:
        best = line.best if line.advice is not Advice.NOT_SUGGESTED else None
        near = next((each for each in line.near if each.verdict.advice is not Advice.NOT_SUGGESTED), None)
        # What is the same and not to be reused is never hidden behind a near match.
        chosen = best or (near if not line.judged else None)
        if chosen is None:
            return ()
        found.append(chosen)
    return tuple(found)
