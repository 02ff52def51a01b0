"""What external quality assessment said of the district's institutions: nearly all passed, a few did not."""

import datetime as dt
from collections.abc import Iterator

from schemas.catalogue import Scope
from schemas.quality import QualityRecord, Standing

from .district import CITY_HOSPITAL, COMMUNITY_CENTRES, ECG_CENTRE, IMAGING_CENTRE, LABORATORY_CENTRE
from .panels import PANELS

_YEARS = 3
_HOSPITALS = (IMAGING_CENTRE, LABORATORY_CENTRE, ECG_CENTRE, CITY_HOSPITAL)
_LABORATORY = tuple(dict.fromkeys(f"L-{each.code}" for panel in PANELS.values() for each in panel.analytes))
_IMAGING = ("R-CT-CHEST", "R-MR-HEAD", "R-DX-CHEST", "R-US-ABDOMEN")
_SCHEMES = {"L": "云汀市临床检验质量控制中心", "R": "云汀市放射影像质量控制中心", "E": "云汀市心电质量控制中心"}
# Of the present year. Failed: the second half year's round. Suspended: for three months until now. Absent: not joined.
_FAILED = (("CHC09", "L-2823-3"), ("CHC09", "L-2951-2"), ("CHC05", "L-14771-0"))
_SUSPENDED = (("CHC12", "L-4548-4"), ("CHC14", "R-DX-CHEST"))
_ABSENT = (("CHC05", "L-14647-2"), ("CHC05", "L-14927-8"), ("CHC05", "L-14646-4"), ("CHC07", "E-REST12"))
_SUSPENDED_DAYS = 90


def quality_records(until: dt.date) -> tuple[QualityRecord, ...]:
    """Three calendar years of records, the last one `until`'s."""
    return tuple(_passed(until)) + tuple(_bad(until))


def _passed(until: dt.date) -> Iterator[QualityRecord]:
    for year in range(until.year - _YEARS + 1, until.year + 1):
        for organization in (*COMMUNITY_CENTRES, *_HOSPITALS):
            for item in (*_LABORATORY, *_IMAGING, "E-REST12"):
                if year < until.year or (organization, item) not in _ABSENT:
                    yield _record(organization, item, Standing.PASSED, dt.date(year, 1, 1), dt.date(year + 1, 1, 1))


def _bad(until: dt.date) -> Iterator[QualityRecord]:
    # In January the round that failed is last year's.
    july = dt.date(until.year if until.month > 7 else until.year - 1, 7, 1)
    for organization, item in _FAILED:
        yield _record(organization, item, Standing.FAILED, july, dt.date(july.year + 1, 1, 1))
    for organization, item in _SUSPENDED:
        since = until - dt.timedelta(days=_SUSPENDED_DAYS)
        yield _record(organization, item, Standing.SUSPENDED, since, until + dt.timedelta(days=_SUSPENDED_DAYS))


def _record(organization: str, item: str, standing: Standing, since: dt.date, until: dt.date) -> QualityRecord:
    scope = Scope.CITY if organization in _HOSPITALS else Scope.DISTRICT
    return QualityRecord(organization, item, standing, since, until, scope=scope, scheme=_SCHEMES[item[0]])
