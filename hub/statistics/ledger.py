"""Everything that was done with one report, in its order: opened, advised on, decided, told of, acknowledged."""

from collections.abc import Iterator

from sqlalchemy import Connection

from schemas.disclosure import Disclosure
from schemas.ledger import Deed, Entry
from storage import decisions, ledger, notices


def entries(tx: Connection, disclosure: Disclosure, report_id: int) -> tuple[Entry, ...]:
    """The newest last; of one moment in the order in which one leads to the other."""
    deeds = list(Deed)
    found = (*_seen(tx, disclosure, report_id), *_done(tx, disclosure, report_id))
    return tuple(sorted(found, key=lambda each: (each.at, deeds.index(each.deed), each.number)))


def _seen(tx: Connection, disclosure: Disclosure, report_id: int) -> Iterator[Entry]:
    for opening in ledger.openings(tx, disclosure, report_id):
        yield Entry(opening.opened_at, Deed.OPENED, opening.version, opening.organization, opening.account, opening.id)
    for shown in ledger.showings(tx, disclosure, report_id=report_id):
        showing = shown.showing
        yield Entry(
            *(shown.shown_at, Deed.ADVISED, showing.version, shown.organization, shown.account, shown.id),
            word=showing.advice,
            item=showing.item,
            where=showing.where.value,
            order_number=showing.order_number,
        )


def _done(tx: Connection, disclosure: Disclosure, report_id: int) -> Iterator[Entry]:
    for decision in decisions.records(tx, disclosure, report_id=report_id):
        yield Entry(
            *(decision.decided_at, Deed.DECIDED, decision.version, decision.organization, decision.account),
            decision.id,
            word=decision.verdict.value,
            item=decision.item,
            order_number=decision.order.number,
            reason=decision.reason,
            remark=decision.comment,
        )
    for notice in notices.records(tx, disclosure, report_id=report_id, overtaken=True):
        told = (notice.version, notice.organization)
        yield Entry(notice.raised_at, Deed.TOLD, *told, notice.account, notice.id, word=notice.kind.value)
        if notice.acknowledged_at:
            yield Entry(
                notice.acknowledged_at,
                Deed.ACKNOWLEDGED,
                *told,
                notice.acknowledged_by,
                notice.id,
                remark=notice.remark,
            )
