"""Cases 30 and 31: an empty field and a deleted one, and times that no clock shows."""

import datetime as dt

import pytest

from tests.journeys.cases.desk import Desk
from tests.journeys.cases.er7 import HGB, message, msh, obr, obx, pid
from tests.journeys.cases.paper import line_of


def adt(number: str, control_id: str, name: str, born: str, sex: str) -> bytes:
    return message(msh(control_id, kind="ADT^A08^ADT_A01"), "EVN|A08|20261121103000", pid(number, name, born, sex))


def test_an_empty_field_changes_nothing_and_a_deleted_one_is_forgotten(desk: Desk) -> None:
    desk.take(adt("C30", "M30A", "王^芳", "19850307", "F"))
    desk.take(adt("C30", "M30B", "王^芬", "", ""))
    (patient,) = desk.patients("C30")
    assert (patient["name"][0]["text"], patient.get("birthDate"), patient.get("gender")) == (
        "王芬",
        "1985-03-07",
        "female",
    )
    desk.take(adt("C30", "M30C", "王^芬", '""', "F"))
    (patient,) = desk.patients("C30")
    assert "birthDate" not in patient
    assert patient["gender"] == "female"


def test_a_deleted_value_is_shown_as_none_and_told_apart_from_an_empty_one(desk: Desk) -> None:
    lines = (pid("C30V"), obr("F30V"), obx(HGB, '""', unit="g/L"), obx("TSH^促甲状腺激素^L", "", unit="mIU/L"))
    desk.take(message(msh("M30V"), *lines))
    report = desk.report("F30V")
    assert desk.said("F30V") == [("718-7", "—"), ("TSH", "—")]
    page = desk.page(report)
    assert '""' not in line_of(page, "血红蛋白")
    assert "—" in line_of(page, "血红蛋白")
    assert "—" in line_of(page, "促甲状腺激素")
    account = desk.page(report, "/segments")
    assert 'OBX-5 结果值 ""' in account


# OBR-7, the instant that FHIR says of it in UTC, what the page shows, whether somebody should look at it.
TIMES = [
    ("20261121100000+0800", "2026-11-21T02:00:00", "2026-11-21 10:00", False),
    ("20261121100000", "2026-11-21T02:00:00", "2026-11-21 10:00", False),
    ("20261121100000+08", "2026-11-21T02:00:00", "2026-11-21 10:00", False),
    ("20261121020000+00", "2026-11-21T02:00:00", "2026-11-21 10:00", False),
    ("20261121020000-0000", "2026-11-21T02:00:00", "2026-11-21 10:00", False),
    ("202611211000", "2026-11-21T02:00:00", "2026-11-21 10:00", False),
    ("20261121", "2026-11-20T16:00:00", "2026-11-21 00:00", False),
    ("20261121100000.123+0800", "2026-11-21T02:00:00.123", "2026-11-21 10:00", False),
    ("00000000", "", "2026-11-21 10:29", True),
    ("20260231100000", "", "2026-11-21 10:29", True),
    ("20261121256100", "", "2026-11-21 10:29", True),
    ("昨天上午", "", "2026-11-21 10:29", True),
    ("", "", "2026-11-21 10:29", False),
]


@pytest.mark.parametrize(("sent", "said", "shown", "doubted"), TIMES)
def test_a_time_is_the_sources_own_or_none_at_all(
    desk: Desk, sent: str, said: str, shown: str, *, doubted: bool
) -> None:
    number = f"31.{TIMES.index((sent, said, shown, doubted))}"
    lines = (pid(f"C{number}"), obr(f"F{number}", observed=sent), obx(HGB, "98"))
    desk.take(message(msh(f"M{number}"), *lines))
    report = desk.report(f"F{number}")
    assert instant(report.get("effectiveDateTime", "")) == said
    page = desk.page(report)
    assert f"采样时间\n{shown}" in page
    assert ("(未注明，取报告或接收时间)" in page) == (not said)
    assert ("需查看 1" in desk.page(report, "/segments")) == doubted


def instant(text: str) -> str:
    """A FHIR dateTime in UTC, without its zone and without zeros behind its seconds."""
    if not text:
        return ""
    at = dt.datetime.fromisoformat(text).astimezone(dt.UTC).replace(tzinfo=None)
    return at.isoformat(timespec="milliseconds").removesuffix(".000")


@pytest.mark.parametrize("born", ["00000000", "19801399", "生日不详"])
def test_a_birthday_that_no_calendar_has_is_left_out(desk: Desk, born: str) -> None:
    number = f"31B{born[-2:].encode().hex()}"
    desk.take(message(msh(f"M{number}"), pid(f"C{number}", born=born), obr(f"F{number}"), obx(HGB, "98")))
    (patient,) = desk.patients(f"C{number}")
    assert "birthDate" not in patient
    assert "需查看" in desk.page(desk.report(f"F{number}"), "/segments").partition("\nPID-7 ")[2].partition("\n")[0]


def test_a_birthday_with_a_zone_is_the_day_that_was_written(desk: Desk) -> None:
    desk.take(message(msh("M31Z"), pid("C31Z", born="19300122000000+0215"), obr("F31Z"), obx(HGB, "98")))
    assert desk.patients("C31Z")[0]["birthDate"] == "1930-01-22"
