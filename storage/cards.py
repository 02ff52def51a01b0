"""Cards of CDS Hooks as they were shown, and the last that was said about each."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import Connection, select

from schemas.card import Answering, KeptCard, ShownCard
from schemas.disclosure import Disclosure
from schemas.documents import from_json, to_json
from schemas.faults import NotFound

from . import tables as t
from .statement import Statement

_ADD = Statement(t.card.insert())


def add_cards(tx: Connection, disclosure: Disclosure, cards: Iterable[ShownCard], now: dt.datetime) -> None:
    """Keeps what feedback will be about."""
    principal = disclosure.principal
    rows = [
        {
            "uuid": each.uuid,
            "account": principal.account,
            "organization": principal.organization,
            "shown_at": now,
            "outcome": "",
            "document": to_json(each.kept),
        }
        for each in cards
    ]
    _ADD.many(tx, rows)


def card(tx: Connection, disclosure: Disclosure, uuid: str) -> tuple[KeptCard, str]:
    """A card that the asker was shown, and what was last said of it. Raises NotFound, also for another's."""
    principal = disclosure.principal
    column = t.card.c
    query = select(column.document, column.outcome).where(
        column.uuid == uuid, column.account == principal.account, column.organization == principal.organization
    )
    row = tx.execute(query).first()
    if row is None:
        raise NotFound("no such card was shown to this account", where="feedback.card")
    return from_json(KeptCard, row.document), row.outcome


def put_outcome(tx: Connection, said: Answering) -> bool:
    """The last that was said of a card; the decisions themselves are never changed. False where another was quicker."""
    query = t.card.update().where(t.card.c.uuid == said.uuid, t.card.c.outcome == said.before)
    return bool(tx.execute(query.values(outcome=said.outcome)).rowcount)
