"""The verb of whoever is about to order: every prior result of the person, judged; and who was shown what."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

from hub import audit
from hub.access import Permission, require
from hub.catalogue import Match, items_of_order
from hub.disclosing import disclosing
from hub.judging import judge, line, relation
from schemas.card import KeptCard, ShownCard
from schemas.catalogue import Item, Setting
from schemas.disclosure import Action, Disclosure
from schemas.documents import to_json
from schemas.identifiers import Identifier
from schemas.ledger import Showing, Shown
from schemas.ordering import PlannedOrder
from schemas.organization import Organization
from schemas.region import region_rules
from schemas.report import ReportRecord
from schemas.verdict import Advice, Answer, Asked, Judged, Line, Prior, Relation, Verdict
from storage import cards, catalogue, ledger, mappings, organizations, priors, quality
from storage.database import Database

from .carding import card_of
from .evidence import Evidence, prior_of
from .gathering import Gathering, Known
from .standing import unassessed
from .whom import Whom

MOST_ORDERS = 50
_ADVICE = (Advice.NOT_SUGGESTED, Advice.WITH_CAUTION, Advice.REUSABLE)


class Advising:
    """Advice before ordering. Nothing found and nobody known look alike."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def verdicts(
        self,
        disclosure: Disclosure,
        orders: Sequence[PlannedOrder],
        *,
        patient_id: int | None = None,
        identifier: Identifier | None = None,
        where: Shown = Shown.REST,
        at: dt.datetime | None = None,
    ) -> tuple[Answer, ...]:
        """What there is for each order, in their order; an order of several items has several answers.

        identifier: in place of the hub's own id; of several persons who carry it none is meant.
        at: the moment of ordering, now unless it is said.
        """
        whom = Whom(patient_id, identifier)
        with self._advised(disclosure, orders, whom, where, at) as (_, answers):
            return tuple(answer for _, answer in answers)

    def cards(self, disclosure: Disclosure, orders: Sequence[PlannedOrder], whom: Whom) -> tuple[ShownCard, ...]:
        """One card for each order that a prior result may answer; kept, for feedback comes later."""
        with self._advised(disclosure, orders, whom, Shown.CDS_HOOKS) as (tx, answers):
            made = [card for order, answer in answers if (card := card_of(order, answer))]
            cards.add_cards(tx, disclosure, made, audit.now())
            return tuple(made)

    def card(self, disclosure: Disclosure, uuid: str) -> tuple[KeptCard, str]:
        """What a card was about, and what was last said of it. Raises NotFound, also for another's."""
        require(disclosure.principal, Permission.DECIDE)
        with self._database.read() as tx:
            return cards.card(tx, disclosure, uuid)

    @contextmanager
    def _advised(
        self,
        disclosure: Disclosure,
        orders: Sequence[PlannedOrder],
        whom: Whom,
        where: Shown,
        at: dt.datetime | None = None,
    ) -> Iterator[tuple[Connection, list[tuple[PlannedOrder, Answer]]]]:
        now = audit.now()
        with disclosing(self._database, disclosure, Action.SEARCH, "Verdict", Permission.DECIDE) as asked:
            known = _known(asked.tx)
            matched = [(order, _matches(known, order)) for order in orders[:MOST_ORDERS]]
            person_id = whom.found(asked.tx)
            whose = priors.person(asked.tx, disclosure, person_id) if person_id is not None else None
            items = _items(known, [match.item for _, matches in matched for match in matches])
            found = Gathering(asked.tx, disclosure, known, whose).of(items) if whose else []
            judged = _Judging(known, disclosure, found, at or now, now)
            answers = [(order, answer) for order, matches in matched for answer in judged.answers(order, matches)]
            if whose:
                asked.shows([whose.id])
                asked.detail = f"{len(answers)} ordered, {sum(bool(each.shown) for _, each in answers)} shown"
                ledger.add_showings(asked.tx, disclosure, _showings([a for _, a in answers], whose.id, where), now)
            yield asked.tx, answers

    def reproduce(self, disclosure: Disclosure, verdict: Verdict) -> Verdict:
        """The verdict again, from the stored versions that it names: whoever doubts it can see that it followed."""
        entity = f"DiagnosticReport/{verdict.basis.report_id}/_history/{verdict.basis.report_version}"
        with disclosing(self._database, disclosure, Action.READ, entity, Permission.DECIDE) as asked:
            order, prior = prior_of(asked.tx, disclosure, verdict.basis)
            asked.shows([prior.record.patient_id])
            return judge(order, prior, region_rules(verdict.basis.region), verdict.basis.judged_at)

    def out_of_quality(self, disclosure: Disclosure, record: ReportRecord) -> bool:
        """Whether the issuer of a report that the asker holds had not passed assessment of all that it tells."""
        require(disclosure.principal, Permission.DECIDE)
        with self._database.read() as tx:
            return unassessed(tx, record)

    def items(self, disclosure: Disclosure) -> tuple[Item, ...]:
        """What can be ordered, as the catalogue names it."""
        require(disclosure.principal, Permission.DECIDE)
        with self._database.read() as tx:
            return tuple(catalogue.catalogue(tx).items.values())


def _known(tx: Connection) -> Known:
    return Known(
        catalogue.catalogue(tx),
        mappings.concepts(tx),
        quality.book(tx),
        region_rules(),
        {each.organization.code: each.organization for each in organizations.organizations(tx)},
    )


def _matches(known: Known, order: PlannedOrder) -> tuple[Match, ...]:
    return items_of_order(known.catalogue, known.concepts, order.services)


def _items(known: Known, items: Sequence[Item]) -> list[Item]:
    """What is looked for: the items of panels in place of the panels."""
    members = (member for item in items for member in known.catalogue.members_of(item))
    return list({member.code: member for member in members}.values())


class _Judging:
    """Judges what was found, for one order after another."""

    def __init__(
        self, known: Known, disclosure: Disclosure, found: Sequence[Prior], at: dt.datetime, now: dt.datetime
    ) -> None:
        self._known, self._found, self._at, self._now = known, found, at, now
        code = disclosure.principal.organization
        self._here = known.organizations.get(code) or Organization(code, code)

    def answers(self, order: PlannedOrder, matches: Sequence[Match]) -> list[Answer]:
        if not matches:
            return [Answer(None, (), order.number, order.display)]
        return [
            Answer(
                match.item,
                tuple(self._line(order, match, member) for member in self._known.catalogue.members_of(match.item)),
                order.number,
                order.display or match.item.zh,
            )
            for match in matches
        ]

    def _line(self, order: PlannedOrder, match: Match, item: Item) -> Line:
        version = self._known.catalogue.version(item.code)
        asked = Asked(
            item,
            # Who does not tell the setting may mean an emergency room: the strictest clocks hold.
            order.setting or Setting.ACUTE,
            self._at,
            self._here,
            order.contexts,
            version.version if version else 0,
            order.laterality or match.laterality,
        )
        return line(asked, item, self._near(item), self._known.rules, self._now)

    def _near(self, item: Item) -> list[Prior]:
        """What is of the item or near it; asked once for each pair of items, not for each result."""
        related: dict[str, bool] = {}
        found = []
        for prior in self._found:
            code = prior.item.code if prior.item else ""
            if code not in related:
                related[code] = relation(item, prior.item, self._known.rules) is not Relation.OTHER
            if related[code]:
                found.append(prior)
        return found


def _showings(answers: Sequence[Answer], patient_id: int, where: Shown) -> list[Showing]:
    """Of each order and report one, with the verdicts on all that the report tells of it."""
    shown: dict[tuple[int, int, str], list[Judged]] = {}
    for number, answer in enumerate(answers):
        for each in _leading(answer):
            record = each.prior.record
            shown.setdefault((number, record.id, str(record.version)), []).append(each)
    made = []
    for (number, report_id, _), judged in shown.items():
        answer, first = answers[number], judged[0]
        item = answer.item.code if answer.item else ""
        worst = min(judged, key=lambda each: _ADVICE.index(each.verdict.advice))
        evidence = to_json(Evidence(item, tuple(each.verdict for each in judged)))
        made.append(
            Showing(
                report_id,
                first.prior.record.version,
                patient_id,
                item,
                worst.verdict.advice.value,
                where,
                evidence,
                answer.number,
            )
        )
    return made


def _leading(answer: Answer) -> list[Judged]:
    """What is put before the doctor: of each item the most useful result, else the nearest match."""
    return [each for line_ in answer.lines if (each := line_.best or (line_.near[0] if line_.near else None))]
