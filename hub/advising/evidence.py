"""What the ledger keeps of advice that was shown, and the same judged again from the versions that it names."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from schemas.catalogue import Item
from schemas.disclosure import Disclosure
from schemas.faults import NotFound
from schemas.observation import Observation, slots
from schemas.organization import Organization
from schemas.quality import Assessment, QualityVersion
from schemas.verdict import Asked, Basis, Prior, Verdict
from storage import catalogue, quality, reports


@dataclass(frozen=True, slots=True)
class Evidence:
    """item: code of what was ordered. verdicts: on each result of one report that answers it."""

    item: str
    verdicts: tuple[Verdict, ...]


def prior_of(tx: Connection, disclosure: Disclosure, basis: Basis) -> tuple[Asked, Prior]:
    """What was asked and what was judged, as they were then. Raises NotFound where a version is gone."""
    record = replace(
        reports.version(tx, disclosure, basis.report_id, basis.report_version),
        current=basis.current,
        doubtful=basis.doubtful,
    )
    asked = Asked(
        _item(tx, basis.ordered, basis.ordered_version),
        basis.setting,
        basis.at,
        Organization(basis.ordering, basis.ordering, kind=basis.ordering_kind),
        frozenset(basis.contexts),
        basis.ordered_version,
        basis.asked_laterality,
    )
    prior = Prior(
        record,
        _item(tx, basis.item, basis.item_version),
        Organization(basis.issuer, basis.issuer, kind=basis.issuer_kind),
        Assessment(basis.assessed, _quality(tx, basis)),
        observation=_observation(record.report.observations, basis),
        slot=basis.slot,
        version=basis.item_version,
        laterality=basis.laterality,
        doubts=basis.doubts,
        unit_code=basis.unit_code,
        images=basis.images,
        newer=basis.newer,
    )
    return asked, prior


def _item(tx: Connection, code: str, version: int) -> Item | None:
    return catalogue.version(tx, code, version).item if code else None


def _quality(tx: Connection, basis: Basis) -> QualityVersion | None:
    ref = basis.quality
    if ref is None:
        return None
    for each in quality.book(tx).versions(ref.organization, ref.item):
        if (each.version, each.record.method, each.record.since) == (ref.version, ref.method, ref.since):
            return each
    raise NotFound("the quality record that the verdict names is gone", where="quality")


def _observation(observations: tuple[Observation, ...], basis: Basis) -> Observation | None:
    if basis.slot is None:
        return None
    found = dict(slots(observations)).get(basis.slot)
    if found is None:
        raise NotFound("the report's version does not hold the result", where="observation")
    return found
