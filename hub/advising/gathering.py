"""What the hub holds of one person that may answer an order, as the rules judge it."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.catalogue import Images, Match, items_of_report
from schemas.catalogue import Catalogue, Item
from schemas.disclosure import Disclosure
from schemas.mapping import Concepts
from schemas.observation import Observation, Quantity, Slot, slots
from schemas.organization import Organization
from schemas.quality import Assessed, Assessment, QualityBook
from schemas.region import RegionRules
from schemas.report import SUPPLEMENT, ReportCategory, ReportRecord, ReportStatus
from schemas.units import ucum
from schemas.verdict import ImageFacts, Prior
from storage import priors
from storage.priors import FoundStudy, Person

_MOST = 6
# What stands beside images and shows none.
_PICTURELESS = frozenset({"SR", "PR", "KO", "SEG", "RTSTRUCT", "RTPLAN", "ECG", "DOC", "REG"})


@dataclass(frozen=True, slots=True)
class Known:
    """What holds in the district at this moment."""

    catalogue: Catalogue
    concepts: Concepts
    book: QualityBook
    rules: RegionRules
    organizations: dict[str, Organization]

    def wanted(self, items: Iterable[Item]) -> dict[tuple[str, str], Item]:
        """By (system, code) under which results may lie: their item. Near matches are wanted as well."""
        found: dict[tuple[str, str], Item] = {}
        for item in self._with_near(items):
            for coding in item.codes:
                for pair in self.concepts.codes_of(coding):
                    found.setdefault(pair, item)
        return found

    def _with_near(self, items: Iterable[Item]) -> Iterable[Item]:
        asked = [item for item in items if item.category is ReportCategory.LABORATORY and not item.members]
        near = {code for group in self.rules.near for code in group}
        found = {item.code: item for item in asked}
        for item in asked:
            if any(coding.code in near for coding in item.codes):
                for other in self.catalogue.items.values():
                    if not other.members and self.rules.is_near(item, other):
                        found.setdefault(other.code, other)
        return found.values()


class Gathering:
    """Prior results of one person, by what is asked for."""

    def __init__(self, tx: Connection, disclosure: Disclosure, known: Known, whose: Person) -> None:
        self._tx, self._disclosure, self._known, self._whose = tx, disclosure, known, whose
        # Reports of one kind are called alike, and to understand a name costs more than to read it.
        self._matched: dict[tuple[object, ...], tuple[Match, ...]] = {}

    def of(self, items: Sequence[Item]) -> list[Prior]:
        """Everything that may answer any of these items, exactly or nearly."""
        found = list(self._results(items))
        for category in (ReportCategory.IMAGING, ReportCategory.ECG):
            if any(item.category is category for item in items):
                asked = {(item.modality, item.body_part) for item in items if item.category is category}
                found += _newest(each for each in self._examinations(category) if _place(each) in asked)
        return found

    def _results(self, items: Sequence[Item]) -> Iterator[Prior]:
        wanted = self._known.wanted(items)
        if not wanted:
            return
        places = priors.results(self._tx, self._disclosure, self._whose, wanted)
        records = priors.records(self._tx, self._disclosure, self._whose, list(places))
        for record in records.values():
            by_slot = dict(slots(record.report.observations))
            for slot in places[record.id]:
                item = wanted.get((slot[1], slot[0]))
                if item and (observation := by_slot.get(slot)):
                    yield self._result(record, item, slot, observation)

    def _result(self, record: ReportRecord, item: Item, slot: Slot, observation: Observation) -> Prior:
        told = observation.value if isinstance(observation.value, Quantity) else None
        unit = (told.unit if told else "") or observation.unit
        mapped = self._known.concepts.unit(record.organization, unit) if unit else ""
        at = observation.observed_at or record.report.observed_at
        return Prior(
            record,
            item,
            self._issuer(record),
            self._assessment(record, item, observation.method, at),
            observation=observation,
            slot=slot,
            version=self._version(item),
            unit_code=mapped or (ucum(unit, told.unit_system if told else "") if unit else ""),
        )

    def _examinations(self, category: ReportCategory) -> Iterator[Prior]:
        ids = priors.examinations(self._tx, self._disclosure, self._whose, category)
        records = priors.records(self._tx, self._disclosure, self._whose, ids)
        shown = priors.studies(self._tx, self._disclosure, self._whose, records.values())
        written = {shown[each.id].id for each in records.values() if each.id in shown and _is_written(each)}
        for record in records.values():
            study = shown.get(record.id)
            # Images of which a report exists are judged once, with it.
            if study and study.id in written and not _is_written(record):
                continue
            yield from self._examination(record, study)

    def _examination(self, record: ReportRecord, study: FoundStudy | None) -> Iterator[Prior]:
        report = record.report
        for match in self._matches(record, _headers(study) if study else None):
            yield Prior(
                record,
                match.item,
                self._issuer(record),
                self._assessment(record, match.item, "", report.observed_at),
                version=self._version(match.item),
                laterality=match.laterality,
                doubts=match.doubts,
                images=_facts(study) if study else None,
            )

    def _matches(self, record: ReportRecord, images: Images | None) -> tuple[Match, ...]:
        report = record.report
        key = (report.category, report.code, bool(report.recording), images)
        if key not in self._matched:
            known = self._known
            self._matched[key] = items_of_report(known.catalogue, known.concepts, report, images)
        return self._matched[key]

    def _assessment(self, record: ReportRecord, item: Item, method: str, at: dt.datetime | None) -> Assessment:
        if at is None:
            return Assessment(Assessed.UNKNOWN)
        return self._known.book.standing(record.organization, item.code, method, at)

    def _issuer(self, record: ReportRecord) -> Organization:
        known = self._known.organizations.get(record.organization)
        return known or Organization(record.organization, record.organization)

    def _version(self, item: Item) -> int:
        version = self._known.catalogue.version(item.code)
        return version.version if version else 0


def _place(prior: Prior) -> tuple[str, str]:
    return (prior.item.modality, prior.item.body_part) if prior.item else ("", "")


def _newest(found: Iterable[Prior]) -> list[Prior]:
    """Of each item the newest few; of one whose time was never told nobody knows that it is older."""
    by_item: dict[str, list[Prior]] = {}
    for each in found:
        by_item.setdefault(each.item.code if each.item else "", []).append(each)
    kept: list[Prior] = []
    for same in by_item.values():
        timed = sorted((p for p in same if p.sampled_at), key=lambda p: (p.sampled_at, p.record.id), reverse=True)
        kept += [*timed[:_MOST], *(p for p in same if not p.sampled_at)]
    return kept


def _is_written(record: ReportRecord) -> bool:
    """Whether it is a report, rather than images alone that wait for one."""
    report = record.report
    return report.status is not ReportStatus.PARTIAL and SUPPLEMENT not in report.flags


def _headers(study: FoundStudy) -> Images:
    words = (study.study.description, *(series.description for series in study.series))
    sides = {series.laterality for series in study.series} - {""}
    return Images(
        study.modalities,
        tuple(dict.fromkeys(series.body_part for series in study.series if series.body_part)),
        tuple(dict.fromkeys(word for word in words if word)),
        sides.pop() if len(sides) == 1 else "B" if sides == {"L", "R"} else "",
    )


def _facts(study: FoundStudy) -> ImageFacts:
    check = study.quality.check
    return ImageFacts(
        shown=0 if _PICTURELESS.issuperset(study.modalities) else study.instance_count,
        complete=study.complete,
        hidden=study.hidden,
        grade=study.quality.grade,
        missing=tuple(sorted({finding.what for finding in check.findings})) if check else (),
    )
