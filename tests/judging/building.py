"""Orders and prior results in few words."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hub.judging import line
from schemas.catalogue import Catalogue, Item, ItemVersion, Scope, Setting
from schemas.codes import LOINC, Coding
from schemas.identifiers import Identifier
from schemas.image_quality import Grade, Shortcoming
from schemas.observation import Observation, Quantity
from schemas.organization import Organization, OrganizationKind
from schemas.patient import Patient, PersonName
from schemas.quality import Assessed, Assessment, QualityRecord, QualityVersion, Standing
from schemas.region import RegionRules, region_rules
from schemas.report import Report, ReportCategory, ReportRecord, ReportStatus
from schemas.shipped_catalogue import shipped
from schemas.verdict import Asked, Context, ImageFacts, Judged, Line, Prior

NOW = dt.datetime(2026, 11, 25, 9, 0, tzinfo=dt.UTC)
BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
CATALOGUE = Catalogue(ItemVersion(1, item, BEGINNING) for item in shipped().items)
INSTITUTIONS = {
    each.code: each
    for each in (
        Organization("CHC01", "青松社区", kind=OrganizationKind.COMMUNITY_CENTRE),
        Organization("CHC02", "白杨社区", kind=OrganizationKind.COMMUNITY_CENTRE),
        Organization("DH02", "区中心医院", kind=OrganizationKind.DISTRICT_HOSPITAL),
        Organization("CITY", "市立医院", kind=OrganizationKind.CITY_HOSPITAL),
        Organization("AWAY", "外地医院", kind=OrganizationKind.OTHER),
    )
}
_UNITS = {"d": dt.timedelta(days=1), "h": dt.timedelta(hours=1), "m": dt.timedelta(minutes=1)}
RULES = region_rules()


def span(text: str) -> dt.timedelta:
    """`3d`, `12h`, `-30m`."""
    return int(text[:-1]) * _UNITS[text[-1]]


def item(code: str) -> Item | None:
    """An item of the shipped catalogue; None for a code that it does not have."""
    return CATALOGUE.get(code)


def asked(
    code: str = "L-718-7", setting: str = "outpatient", *, at: str = "DH02", contexts: tuple[str, ...] = (), **more: str
) -> Asked:
    """An order of one item, now, at an institution."""
    return Asked(
        item(code),
        Setting(setting),
        NOW,
        INSTITUTIONS[at],
        frozenset(Context(each) for each in contexts),
        version=1,
        laterality=more.get("laterality", ""),
    )


def _assessment(standing: str, issuer: str, code: str, scope: str) -> Assessment:
    stands = Assessed(standing)
    if stands is Assessed.UNKNOWN:
        return Assessment(stands)
    said = Standing.PASSED if stands is Assessed.EXPIRED else Standing(stands.value)
    record = QualityRecord(issuer, code, said, dt.date(2026, 1, 1), dt.date(2027, 1, 1), scope=Scope(scope))
    return Assessment(stands, QualityVersion(1, record, NOW))


def _observation(said: dict[str, Any], thing: Item | None, at: dt.datetime | None) -> Observation:
    unit = said.get("unit", thing.unit if thing else "")
    value = said.get("value", "5.0")
    measured = Quantity(Decimal(value), unit) if value and value.replace(".", "").isdigit() else (value or None)
    code = thing.codes[0].code if thing and thing.codes else "X1"
    return Observation(
        Coding(code, thing.zh if thing else "", LOINC),
        measured,
        unit=unit,
        interpretation=said.get("flags", ()),
        status=said.get("result_status", "final"),
        observed_at=at if said.get("own_time") else None,
        method=said.get("method", ""),
    )


def prior(code: str = "L-718-7", age: str = "1d", **said: Any) -> Prior:  # noqa: ANN401 a prior has fields of every type
    """A prior result of an item, passed and final and here, unless it is said otherwise. age: empty where not told."""
    thing = item(code)
    category = thing.category if thing else ReportCategory(said.get("category", "laboratory"))
    at = NOW - span(age) if age else None
    issuer = said.get("issuer", "CHC01")
    report_id = said.get("id", 1)
    report = Report(
        key=f"K{report_id}",
        category=category,
        status=ReportStatus(said.get("status", "final")),
        code=Coding(code),
        patient=Patient((Identifier("urn:x", "1"),), PersonName("王芳")),
        organization=issuer,
        observed_at=at,
        issued_at=NOW - span(said["issued"]) if "issued" in said else at,
        specimen=said.get("specimen", ""),
        recording="ab" * 32 if category is ReportCategory.ECG and said.get("tracing", True) else "",
        flags=said.get("report_flags", ()),
        study_instance_uid=said.get("study", ""),
    )
    record = ReportRecord(
        report_id, said.get("version", 1), said.get("current", True), 1, issuer, at or NOW, NOW, 1, report,
        doubtful=said.get("doubtful", False),
    )  # fmt: skip
    laboratory = category is ReportCategory.LABORATORY
    images = ImageFacts(
        said.get("shown", 40),
        said.get("complete", True),
        said.get("hidden", ()),
        Grade(said["grade"]) if said.get("grade") else None,
        tuple(Shortcoming(each) for each in said.get("missing", ())),
    )
    return Prior(
        record,
        thing,
        INSTITUTIONS[issuer],
        _assessment(said.get("quality", "passed"), issuer, code, said.get("scope", "district")),
        observation=_observation(said, thing, at) if laboratory else None,
        version=1,
        laterality=said.get("laterality", ""),
        doubts=said.get("doubts", ()),
        unit_code=said.get("unit_code", thing.unit if thing else ""),
        images=images if category is ReportCategory.IMAGING else None,
    )


def judged(order: Asked, *priors: Prior, rules: RegionRules = RULES) -> Line:
    """What there is of an item for an order."""
    thing = order.item or replace(CATALOGUE.items["L-718-7"], code="no-such")
    return line(order, thing, priors, rules, NOW)


def one(order: Asked, first: Prior, *others: Prior, rules: RegionRules = RULES) -> Judged:
    """The verdict on the first of these results."""
    found = judged(order, first, *others, rules=rules)
    return next(each for each in (*found.judged, *found.near) if each.prior.record.id == first.record.id)
