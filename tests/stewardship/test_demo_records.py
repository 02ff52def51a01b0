"""The demo's quality records are about things that exist, and a few of them did not pass."""

import datetime as dt
from collections import Counter

import pytest

from hub.demo.district import district
from hub.demo.quality import quality_records
from schemas.quality import Assessed, QualityBook, QualityVersion
from schemas.shipped_catalogue import shipped
from schemas.wording import ZONE


@pytest.mark.parametrize("today", [dt.date(2026, 11, 25), dt.date(2027, 1, 1), dt.date(2026, 7, 1)])
def test_nearly_all_passed_and_some_failed_expired_or_are_suspended(today: dt.date) -> None:
    records = quality_records(today)
    known = {each.code for each in district().organizations}
    assert {each.organization for each in records} <= known
    assert {each.item for each in records} <= {item.code for item in shipped().items}
    assert len({each.key for each in records}) == len(records)
    now = dt.datetime.combine(today, dt.time(9), ZONE)
    book = QualityBook.of(QualityVersion(1, each, now) for each in records)
    found = Counter(book.standing(*about, "", now).assessed for about in book.about())
    assert found[Assessed.PASSED] > 600
    assert found[Assessed.SUSPENDED] == 2
    assert found[Assessed.EXPIRED] == 4
    assert found[Assessed.FAILED] == (3 if today.month > 7 else 0)
