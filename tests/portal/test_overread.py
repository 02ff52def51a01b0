"""The reader's list and the panel in which an ECG is confirmed."""

from decimal import Decimal

import pytest

from schemas.disclosure import Role

from .conftest import Person, Portal


@pytest.fixture
def reader(visitor: Person) -> Person:
    """Signed in as an ECG reader."""
    visitor.sign_in(Role.ECG_READER)
    return visitor


def test_the_reader_begins_with_the_list_and_comes_from_there_to_the_panel(reader: Person, portal: Portal) -> None:
    assert reader.get("/").headers["location"] == "/ecg"
    page = reader.get("/ecg").text
    assert "待阅：1" in page
    assert "/reports/5#overread" in page
    report = reader.get("/reports/5").text
    for words in ("data-overread", "Ctrl+Enter", "机器", 'data-code="AF"', "xfcd"):
        assert words in report
    portal.verbs.readings.drafts.append(None)  # type: ignore[arg-type]
    assert "没有待阅的心电图" in reader.piece("/ecg").text


def test_confirming_sends_what_was_changed_and_comes_to_the_next(reader: Person, portal: Portal) -> None:
    fields = {"version": "1", "statements": "AF,LBBB", "text": "复查", "do": "next"}
    measured = {"m-8867-4": "80", "was-8867-4": "72", "m-8634-8": "398", "was-8634-8": "398"}
    answer = reader.send("/reports/5/overread", **fields, **measured)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ecg")
    (draft,) = portal.verbs.readings.drafts
    assert (draft.version, draft.statements, draft.text) == (1, ("AF", "LBBB"), "复查")
    assert draft.measured == {"8867-4": Decimal(80)}


def test_what_cannot_be_a_number_is_refused(reader: Person, portal: Portal) -> None:
    fields = {"version": "1", "statements": "AF", "do": "confirm", "m-8867-4": "eighty"}
    assert reader.send("/reports/5/overread", **fields).status_code == 400
    assert reader.send("/reports/5/overread", statements="AF", version="x").status_code == 400
    assert portal.verbs.readings.drafts == []


def test_the_second_reader_sees_who_has_it(reader: Person, portal: Portal) -> None:
    portal.verbs.readings.taken = True
    page = reader.get("/reports/5").text
    assert "沈一诺 正在阅图" in page
    assert "data-pick" not in page
    answer = reader.send("/reports/5/overread", version="1", statements="AF", do="confirm")
    assert answer.headers["location"] == "/reports/5?taken=1#overread"
    assert "未保存" in reader.get("/reports/5?taken=1").text


def test_nobody_else_is_shown_the_list_or_the_panel(clinician: Person, portal: Portal) -> None:
    assert clinician.get("/ecg").status_code == 403
    assert "data-overread" not in clinician.get("/reports/5").text
    assert clinician.send("/reports/5/overread", version="1", statements="AF", do="next").status_code == 403
    assert portal.verbs.readings.drafts == []
