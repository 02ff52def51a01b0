"""Quality records as the officer sees them: all institutions at a glance, one through a year, one item's records."""

import calendar
import datetime as dt
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import RedirectResponse

from hub.access import Permission, require
from hub.stewardship import item_sheet, record_sheet
from schemas.catalogue import Catalogue, Item, Scope
from schemas.faults import Category, Fault, InvalidPayload
from schemas.quality import Assessed, Assessment, QualityBook, QualityRecord, QualityVersion, assess
from schemas.wording import ZONE

from . import keeping_words
from .render import page
from .session import Fields, Posting, Visit, Visiting
from .sheets import download
from .timeline import organizations


def keeping(visit: Visiting) -> None:
    """Who keeps quality records. Decided before anything of a form is read."""
    require(visit.principal, Permission.KEEP_CATALOGUE)


router = APIRouter(include_in_schema=False, dependencies=[Depends(keeping)])

Code = Annotated[str, Query(max_length=64)]
# The worst first: what somebody has to look at.
_ORDER = (Assessed.FAILED, Assessed.SUSPENDED, Assessed.EXPIRED, Assessed.PASSED, Assessed.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Months of a year that look alike: how many, and the worst that held in any of them."""

    months: int
    first: int
    assessed: Assessed


@dataclass(frozen=True, slots=True)
class Line:
    """An item of an institution (and a method, where records tell methods apart) through a year."""

    code: str
    item: Item | None
    method: str
    now: Assessment
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """An institution at a glance. worries: the items that did not pass, the worst first."""

    organization: str
    counts: Counter[Assessed]
    worries: tuple[tuple[Item | None, str, Assessed], ...]


def _now() -> dt.datetime:
    return dt.datetime.now(ZONE)


@router.get("/quality")
def overview(visit: Visiting) -> Response:
    """Every institution with how its items stand today."""
    book, catalogue = visit.verbs.quality.book(), visit.verbs.quality.catalogue()
    known = organizations(visit)
    about = sorted(book.about())
    found = [
        _standing(book, catalogue, code, [item for _, item in pairs])
        for code, pairs in groupby(about, key=lambda pair: pair[0])
    ]
    found.sort(key=lambda each: [-each.counts[kind] for kind in _ORDER[:3]])
    told = {each.organization for each in found}
    return _shown(visit, "quality.html", found=found, known=known, silent=[c for c in known if c not in told])


def _shown(visit: Visit, template: str, *, status: int = 200, **values: object) -> Response:
    keeps = visit.verbs.catalogue.keeps(visit.principal)
    shared = {"keeps": keeps, "words": keeping_words, "order": _ORDER, "today": _now().date()}
    return page(visit, template, status=status, **shared, **values)


def _standing(book: QualityBook, catalogue: Catalogue, organization: str, items: list[str]) -> Standing:
    now = _now()
    stands = [(code, book.standing(organization, code, "", now).assessed) for code in items]
    stands = [(code, assessed) for code, assessed in stands if book.in_force(organization, code)]
    worries = sorted((each for each in stands if each[1] in _ORDER[:3]), key=lambda each: _ORDER.index(each[1]))
    return Standing(
        organization,
        Counter(assessed for _, assessed in stands),
        tuple((_item(catalogue, code), code, assessed) for code, assessed in worries),
    )


def _item(catalogue: Catalogue, code: str) -> Item | None:
    version = catalogue.version(code)
    return version.item if version else None


@router.get("/quality/sheet.csv")
def sheet(visit: Visiting, organization: Code = "") -> Response:
    """The records in force, of one institution or of all, for a spreadsheet."""
    return download(visit.verbs.quality.sheet(organization, visit.language), "quality-records.csv")


@router.get("/quality/institutions/{organization}")
def institution(
    visit: Visiting, organization: str, year: Annotated[int, Query(ge=2000, le=2100)] | None = None
) -> Response:
    """One institution's items through a year, month by month."""
    found = visit.verbs.query.organization(organization).organization
    book, catalogue = visit.verbs.quality.book(), visit.verbs.quality.catalogue()
    chosen = year or _now().year
    codes = sorted(item for code, item in book.about() if code == organization)
    lines = [line for code in codes for line in _lines(book, catalogue, organization, code, chosen)]
    lines.sort(key=lambda line: (_ORDER.index(line.now.assessed), line.code, line.method))
    counts = Counter(line.now.assessed for line in lines)
    return _shown(visit, "quality_institution.html", institution=found, lines=lines, year=chosen, counts=counts)


def _lines(book: QualityBook, catalogue: Catalogue, organization: str, code: str, year: int) -> list[Line]:
    records = book.in_force(organization, code)
    methods = sorted({each.record.method for each in records})
    now = _now()
    return [
        Line(code, _item(catalogue, code), method, assess(records, method, now), _stretches(records, method, year))
        for method in methods
    ]


def _stretches(records: tuple[QualityVersion, ...], method: str, year: int) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    for month in range(1, 13):
        assessed = _month(records, method, year, month)
        if found and found[-1].assessed is assessed:
            found[-1] = Stretch(found[-1].months + 1, found[-1].first, assessed)
        else:
            found.append(Stretch(1, month, assessed))
    return tuple(found)


def _month(records: tuple[QualityVersion, ...], method: str, year: int, month: int) -> Assessed:
    """The worst of a month's days; days that a record begins or ends on are all that can differ."""
    first, last = dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1])
    edges = {day for each in records for day in (each.record.since, each.record.until) if first < day <= last}
    days = (dt.datetime.combine(day, dt.time(12), ZONE) for day in {first, *edges})
    return min((assess(records, method, day).assessed for day in days), key=_ORDER.index)


@router.get("/quality/institutions/{organization}/{code}")
def records(visit: Visiting, organization: str, code: str, since: Code = "", method: Code = "") -> Response:
    """An institution's records about one item, everything that was ever saved, and the form; one may be chosen."""
    version = next(
        (each for each in visit.verbs.quality.book().in_force(organization, code)
         if each.record.since.isoformat() == since and each.record.method == method),
        None,
    )  # fmt: skip
    return _records_page(visit, organization, code, version)


def _records_page(
    visit: Visit,
    organization: str,
    code: str,
    chosen: QualityVersion | None = None,
    said: dict[str, str] | None = None,
    **values: object,
) -> Response:
    book, catalogue = visit.verbs.quality.book(), visit.verbs.quality.catalogue()
    found = visit.verbs.query.organization(organization).organization
    versions = book.versions(organization, code)
    year = _now().year
    blank = {"since": f"{year}-01-01", "until": f"{year}-12-31", "standing": "合格", "scope": "区县"}
    blank |= {"method": "", "scheme": ""}
    filled = record_sheet.cells(chosen.record, catalogue) if chosen else blank
    shown = {"fault": None, "problems": ()} | values
    return _shown(
        visit,
        "quality_records.html",
        status=400 if shown["fault"] or shown["problems"] else 200,
        institution=found,
        code=code,
        item=_item(catalogue, code),
        now=book.standing(organization, code, "", _now()),
        in_force=sorted(book.in_force(organization, code), key=lambda each: each.record.since, reverse=True),
        history=sorted(versions, key=lambda each: (each.changed_at, each.version), reverse=True),
        chosen=chosen,
        said=said or filled,
        standings=record_sheet.STANDINGS,
        scopes=item_sheet.SCOPES,
        scope_kinds=tuple(Scope),
        **shown,
    )


@router.post("/quality/institutions/{organization}/{code}")
def save(visit: Posting, fields: Fields, organization: str, code: str) -> Response:
    """Saves a record, or takes one back that was an error."""
    desk = visit.verbs.quality
    said = {each.key: fields.get(each.key, "") for each in record_sheet.COLUMNS}
    said |= {"organization": organization, "item": code}
    record, problems = record_sheet.one(desk.catalogue(), organizations(visit).keys(), said)
    known = desk.book().versions(organization, code)
    chosen = next((each for each in reversed(known) if record and each.record.key == record.key), None)
    if record is None or problems:
        return _records_page(visit, organization, code, None, said, problems=problems)
    try:
        if fields.get("action", "save") not in {"save", "withdraw"}:
            raise InvalidPayload("expected a decision: save or withdraw", where="action")
        number = _version(fields, chosen, record)
        withdrawn = fields.get("action") == "withdraw"
        desk.save(visit.disclosure, record, fields.get("reason", ""), number, withdrawn=withdrawn)
    except Fault as fault:
        if fault.category not in {Category.INVALID, Category.CONFLICT}:
            raise
        return _records_page(visit, organization, code, chosen, said, fault=fault)
    return RedirectResponse(f"/quality/institutions/{organization}/{code}", status_code=303)


def _version(fields: dict[str, str], chosen: QualityVersion | None, record: QualityRecord) -> int:
    """The version that the person saw. A record under a new first day or method is a new one."""
    seen = fields.get("version", "0")
    if fields.get("key") == f"{record.since.isoformat()} {record.method}":
        return int(seen) if seen.isdecimal() and len(seen) < 9 else -1
    # One that was withdrawn may be written anew; one that holds is not to be overwritten unseen.
    return chosen.version if chosen and chosen.withdrawn else 0
