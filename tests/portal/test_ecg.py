"""The tracing of a report over HTTP: who gets it, in which forms, beside which other."""

import datetime as dt
import gzip
import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from hub.portal.ecg_compare import differences
from schemas.codes import LOINC, Coding
from schemas.ecg import EcgRecording
from schemas.observation import Observation, Quantity
from schemas.report import ReportRecord, ReportStatus

from . import fakes
from .conftest import Person, Portal


def measured(code: str, value: str, unit: str = "ms") -> Observation:
    return Observation(Coding(code, code, LOINC), Quantity(Decimal(value), unit), unit=unit)


def earlier(portal: Portal, number: int, days: int, **more: object) -> ReportRecord:
    """An ECG of the same person, so many days before report 5, of another institution."""
    five = next(r for r in portal.verbs.query.reports_ if r.id == 5)
    report = replace(five.report, status=ReportStatus.FINAL, **more)  # type: ignore[arg-type]
    at = five.observed_at - dt.timedelta(days=days)
    made = replace(five, id=number, organization="DH2", observed_at=at, report=report)
    portal.verbs.query.reports_.append(made)
    return made


def test_samples_go_to_whoever_may_read_the_report_and_to_nobody_else(clinician: Person, portal: Portal) -> None:
    asked: list[tuple[str, int, int | None]] = []
    kept = portal.verbs.retrieve.recording

    def recording(disclosure: object, report_id: int, version: int | None = None) -> EcgRecording:
        asked.append((disclosure.principal.account, report_id, version))  # type: ignore[attr-defined]
        return kept(disclosure, report_id, version)  # type: ignore[arg-type]

    portal.verbs.retrieve.recording = recording  # type: ignore[method-assign]
    answer = clinician.get("/reports/5/ecg/data?version=1")
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "private, no-cache"
    again = clinician.get("/reports/5/ecg/data?version=1", if_none_match=answer.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    plain = clinician.get("/reports/5/ecg/data?version=1", accept_encoding="identity")
    assert plain.content == answer.content
    # Every one of them was asked for by the person who is signed in: each leaves its audit record.
    assert asked == [("clinician", 5, 1)] * 3
    clinician.client.cookies.clear()
    for form in ("data", "paper", "paper.svg", "thumbnail.svg", "pdf", "prior"):
        assert clinician.get(f"/reports/5/ecg/{form}").status_code in {303, 401}
    assert len(asked) == 3


def test_opening_the_report_reads_no_samples_beyond_those_that_the_viewer_asks_for(
    clinician: Person, portal: Portal
) -> None:
    def recording(*_: object) -> EcgRecording:
        pytest.fail("the page itself read the recording")

    portal.verbs.retrieve.recording = recording  # type: ignore[method-assign,assignment]
    page = clinician.get("/reports/5").text
    assert "/reports/5/ecg/data?version=1" in page
    without_scripts = page.partition("<noscript>")[2].partition("</noscript>")[0]
    assert "/reports/5/ecg/paper.svg?version=1" in without_scripts


def test_paper_has_every_sheet_that_the_settings_take(clinician: Person) -> None:
    page = clinician.get("/reports/5/ecg/paper?layout=12x1&gain=20&speed=50&band=0.5-40&mains=1").text
    assert page.count("<svg xmlns") >= 4
    for words in ("50 mm/s", "20 mm/mV", "0.5–40 Hz", "50 Hz 陷波", "不宜判读 ST 段"):
        assert words in page
    usual = clinician.get("/reports/5/ecg/paper?layout=evil&gain=7&speed=1e9&band=x").text
    assert "25 mm/s" in usual
    assert "未滤波" in usual
    assert usual.count("<svg xmlns") == 1
    for nothing in ("nan", "inf"):
        assert clinician.get(f"/reports/5/ecg/paper?speed={nothing}&gain={nothing}").status_code in {200, 400}


def test_pictures_and_pdf_are_what_they_say(clinician: Person) -> None:
    for name in ("paper.svg", "thumbnail.svg"):
        picture = clinician.get(f"/reports/5/ecg/{name}?version=1")
        assert picture.headers["content-type"].startswith("image/svg+xml")
        assert picture.text.startswith("<svg xmlns")
        assert "private" in picture.headers["cache-control"]
    made = clinician.get("/reports/5/ecg/pdf")
    assert made.content.startswith(b"%PDF-")
    assert made.headers["content-disposition"] == 'attachment; filename="ecg-5-v1.pdf"'
    assert clinician.get("/reports/6/ecg/pdf").status_code == 404


def test_an_earlier_ecg_of_any_institution_stands_beside_this_one(clinician: Person, portal: Portal) -> None:
    earlier(portal, 51, 400, observations=(measured("8634-8", "420"),))
    earlier(portal, 52, 30, observations=(measured("8634-8", "360"), measured("8632-2", "-20", "deg")))
    withdrawn = earlier(portal, 53, 10)
    gone = replace(withdrawn.report, status=ReportStatus.ENTERED_IN_ERROR)
    portal.verbs.query.reports_[-1] = replace(withdrawn, report=gone)
    earlier(portal, 54, -5)  # later than this one

    piece = clinician.piece("/reports/5/ecg/prior?version=1").text
    assert 'data-prior-data="/reports/52/ecg/data?version=1&beside=5"' in piece
    assert re.findall(r'<option value="(\d+)"', piece) == ["52", "51"]
    assert "+38" in piece  # QT 398 now, 360 then
    page = clinician.get("/reports/5/ecg/prior?prior=51").text
    assert page.count("<svg xmlns") == 1
    assert "−22" in page
    for stranger in (53, 54, 8, 5):
        assert clinician.get(f"/reports/5/ecg/prior?prior={stranger}").status_code == 404
    beside = clinician.get("/reports/52/ecg/data?version=1&beside=5").content
    assert b'"layout":"compare"' in beside


def test_nothing_earlier_says_so(clinician: Person) -> None:
    assert "没有带波形的既往心电图" in clinician.piece("/reports/5/ecg/prior").text


@pytest.mark.parametrize(
    ("before", "now", "change", "notable"),
    [("170", "-170", "+20", True), ("-170", "170", "−20", True), ("0", "5", "+5", False)],
)
def test_an_axis_turns_the_short_way_round(before: str, now: str, change: str, notable: bool) -> None:
    five = next(r for r in fakes.reports() if r.id == 5)
    one, other = (
        replace(five, report=replace(five.report, observations=(measured("8632-2", value, "deg"),)))
        for value in (now, before)
    )
    found = next(d for d in differences(one, other) if d.code == "8632-2")
    assert (found.change, found.notable) == (change, notable)


def test_a_value_that_one_of_the_two_lacks_is_not_made_up() -> None:
    five = next(r for r in fakes.reports() if r.id == 5)
    bare = replace(five, report=replace(five.report, observations=()))
    assert {(d.before, d.change) for d in differences(five, bare)} == {("—", "")}


def test_data_of_two_people_are_never_mixed_up_by_what_is_kept(clinician: Person, portal: Portal) -> None:
    first = clinician.get("/reports/5/ecg/data?version=1").content
    other = fakes.recording()
    portal.verbs.retrieve.recording = lambda *_: replace(other, samples_uv=other.samples_uv + np.int32(7))  # type: ignore[method-assign]
    second = clinician.get("/reports/5/ecg/data?version=1").content
    assert gzip.compress(first) != gzip.compress(second)


def test_scripts_are_one_file_that_a_browser_keeps_for_ever(clinician: Person) -> None:
    address = re.search(r'src="(/ecg-viewer\.js\?v=\w+)"', clinician.get("/reports/5").text)
    assert address
    answer = clinician.get(address[1])
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert clinician.get(address[1], accept_encoding="identity").content == answer.content
    assert "immutable" not in clinician.get("/ecg-viewer.js?v=old").headers["cache-control"]
    assert "/ecg-viewer.js" not in clinician.get("/reports/1").text


def test_a_timeline_shows_a_few_beats_of_each_recording(clinician: Person) -> None:
    page = clinician.get("/patients/1").text
    assert page.count("/ecg/thumbnail.svg?version=1") == 1
    assert 'src="/reports/5/ecg/thumbnail.svg?version=1"' in page
