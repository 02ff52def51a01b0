"""Counting the ledger for whoever answers for it."""

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from hub.access import Permission, require
from hub.catalogue import items_of_report
from hub.disclosing import disclosing
from schemas.disclosure import Action, Disclosure, Role
from schemas.faults import Forbidden, InvalidPayload
from schemas.figures import Figures, Pair
from schemas.ledger import Entry
from schemas.organization import OrganizationKind
from schemas.recognition import Decided, Decision, reason_list
from schemas.wording import ZONE
from storage import catalogue, decisions, mappings, organizations, reports
from storage import figures as ledger
from storage.database import Database
from storage.figures import Dealt

from .counting import figures
from .ledger import entries

# The longest recognition window that anybody published (protein electrophoresis); what is older is no prior result.
_EXISTS_FOR = dt.timedelta(days=180)
_LONGEST = dt.timedelta(days=732)
_ADVISES_REUSE = frozenset({"reusable", "reusable-with-caution"})


@dataclass(frozen=True, slots=True)
class _Period:
    since: dt.datetime
    until: dt.datetime


class Statistics:
    """repeated_within: an item examined again so soon after it was recognised saved nothing."""

    def __init__(self, database: Database, repeated_within: dt.timedelta = dt.timedelta(days=7)) -> None:
        self._database = database
        self._repeated_within = repeated_within

    def item_names(self) -> dict[str, tuple[str, str]]:
        """Chinese and English name of every item that ever was in the catalogue, by code."""
        with self._database.read() as tx:
            known = catalogue.catalogue(tx).versions
        return {code: (each.item.zh, each.item.en) for code, each in known.items()}

    def sees_all(self, disclosure: Disclosure) -> bool:
        """Whether the asker acts for the health bureau, hence for every institution."""
        with self._database.read() as tx:
            return _sees_all(tx, disclosure)

    def figures(self, disclosure: Disclosure, since: dt.date, until: dt.date, institution: str = "") -> Figures:
        """Of days [since, until). institution: code; empty for all that the asker may see.

        Raises InvalidPayload for no or too long a period, Forbidden for another institution's.
        """
        require(disclosure.principal, Permission.READ_FIGURES)
        period = _period(since, until)
        entity = f"Measure?period={since}/{until}&institution={institution or 'all'}"
        with disclosing(self._database, disclosure, Action.SEARCH, entity, Permission.READ_FIGURES) as asked:
            if not _sees_all(asked.tx, disclosure):
                institution = _own(disclosure, institution)
                disclosure = replace(disclosure, only_organization=institution)
            openings = ledger.opened(asked.tx, disclosure, period.since, period.until)
            pairs = self._pairs(asked.tx, disclosure, period, openings)
        counted = sum(institution in ("", each.organization) for each in openings)
        return figures(pairs.values(), since=since, until=until, institution=institution, openings=counted)

    def decisions(
        self, disclosure: Disclosure, since: dt.date, until: dt.date, institution: str = "", limit: int = 200
    ) -> tuple[Decision, ...]:
        """The newest decisions of the period, by the institution or on its reports. Raises as `figures` does."""
        period = _period(since, until)
        with disclosing(self._database, disclosure, Action.SEARCH, "Provenance", Permission.READ_FIGURES) as asked:
            if not _sees_all(asked.tx, disclosure):
                institution = _own(disclosure, institution)
            found = decisions.records(
                asked.tx, disclosure, organization=institution, since=period.since, until=period.until, limit=limit
            )
            asked.shows(each.patient_id for each in found)
            return found

    def ledger(self, disclosure: Disclosure, report_id: int) -> tuple[Entry, ...]:
        """Who saw which version of a report when, with which advice, and what followed. Raises NotFound.

        An auditor and the health bureau see all of it; another institution what it did itself, or all where the
        report is its own.
        """
        who = (Permission.READ_FIGURES, Permission.READ_AUDIT)
        entity = f"DiagnosticReport/{report_id}/ledger"
        with disclosing(self._database, disclosure, Action.READ, entity, *who) as asked:
            record = reports.version(asked.tx, disclosure, report_id)
            asked.shows([record.patient_id])
            found = entries(asked.tx, disclosure, report_id)
            own = disclosure.principal.organization
            if (
                own == record.organization
                or disclosure.principal.role is Role.AUDITOR
                or _sees_all(asked.tx, disclosure)
            ):
                return found
            return tuple(each for each in found if each.organization == own)

    def _pairs(
        self, tx: Connection, disclosure: Disclosure, period: _Period, openings: list[Dealt]
    ) -> dict[tuple[int, str], Pair]:
        between = (period.since, period.until)
        decided = ledger.decided(tx, disclosure, *between)
        reminders = [each for each in ledger.shown(tx, disclosure, *between) if each.word in _ADVISES_REUSE]
        pairs: dict[tuple[int, str], Pair] = {}
        for report_id, organization, issuer in ledger.existing(tx, disclosure, *between, period.since - _EXISTS_FOR):
            pairs[report_id, organization] = Pair(report_id, organization, issuer, _month(period.since))
        # The earliest dealing names the month: from the last to the first.
        for each in sorted((*openings, *reminders, *decided), key=lambda dealt: dealt.at, reverse=True):
            known = pairs.get((each.report_id, each.organization)) or _pair(each)
            pairs[each.report_id, each.organization] = replace(known, month=_month(each.at))
        for each in openings:
            _put(pairs, each, retrieved=True)
        for each in reminders:
            _put(pairs, each, reminded=True, item=each.item)
        self._put_decisions(tx, disclosure, pairs, decided)
        return pairs

    def _put_decisions(
        self, tx: Connection, disclosure: Disclosure, pairs: dict[tuple[int, str], Pair], decided: list[Dealt]
    ) -> None:
        last = {(each.report_id, each.organization): each for each in decided}
        items, reasons = catalogue.catalogue(tx), reason_list()
        adopted = [each.id for each in last.values() if each.word == Decided.RECOGNISED]
        repeated = self._repeated(tx, disclosure, {each.id: each.item for each in last.values()}, adopted)
        for each in last.values():
            known, item = reasons.find(each.reason), items.version(each.item)
            _put(
                pairs,
                each,
                retrieved=True,
                item=each.item or pairs[each.report_id, each.organization].item,
                verdict=Decided(each.word),
                reason=each.reason,
                counted=known.counted if known else True,
                price_fen=item.item.price_fen if item else 0,
                repeated=each.id in repeated,
            )

    def _repeated(
        self, tx: Connection, disclosure: Disclosure, items: dict[int, str], adopted: list[int]
    ) -> frozenset[int]:
        """The decisions after which the same item was examined again soon."""
        known, concepts = catalogue.catalogue(tx), mappings.concepts(tx)
        return frozenset(
            each.decision_id
            for each in ledger.later(tx, disclosure, adopted, self._repeated_within)
            if items[each.decision_id] in {m.item.code for m in items_of_report(known, concepts, each.report)}
        )


def _period(since: dt.date, until: dt.date) -> _Period:
    if not dt.timedelta(0) < until - since <= _LONGEST:
        raise InvalidPayload("expected a period of one day to two years", where="since, until")
    return _Period(_start(since), _start(until))


def _own(disclosure: Disclosure, institution: str) -> str:
    own = disclosure.principal.organization
    if institution not in ("", own):
        raise Forbidden("an institution sees its own figures", where="institution")
    return own


def _pair(dealt: Dealt) -> Pair:
    return Pair(dealt.report_id, dealt.organization, dealt.issuer, _month(dealt.at))


def _put(pairs: dict[tuple[int, str], Pair], dealt: Dealt, **said: object) -> None:
    key = dealt.report_id, dealt.organization
    pairs[key] = replace(pairs[key], **said)  # type: ignore[arg-type]


def _sees_all(tx: Connection, disclosure: Disclosure) -> bool:
    known = organizations.organization(tx, disclosure.principal.organization).organization
    return known.kind is OrganizationKind.BUREAU


def _start(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), ZONE)


def _month(at: dt.datetime) -> str:
    return at.astimezone(ZONE).strftime("%Y-%m")
