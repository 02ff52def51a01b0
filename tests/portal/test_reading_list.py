"""The radiologist's list: where the work begins, how it is narrowed, and the ways that lead on from a line."""

from datetime import timedelta

import pytest

from hub.portal.formats import ZONE, now
from schemas.disclosure import Role

from .conftest import Person, Portal
from .fakes import STUDY_UID

VIEWER = f"/viewer/1/viewer?StudyInstanceUIDs={STUDY_UID}"


@pytest.fixture
def radiologist(visitor: Person) -> Person:
    """Signed in as a radiologist."""
    visitor.sign_in(Role.RADIOLOGIST)
    return visitor


def test_the_radiologist_begins_with_the_list_and_opens_images_or_the_timeline(radiologist: Person) -> None:
    assert radiologist.get("/").headers["location"] == "/imaging"
    page = radiologist.get("/imaging").text
    for words in (
        "阅片列表",
        "待阅：1",
        "王芳",
        "女",
        "CT",
        "Chest CT",
        "CHEST",
        "青松街道",
        "2026-11-18 10:30",
        "接收中",
    ):
        assert words in page, words
    assert page.count(f'href="{VIEWER}"') == 2
    assert 'href="/patients/1"' in page
    assert '<td class="number">14</td>' in page  # images, without the document
    assert '<td class="number">3</td>' in page  # prior studies


def test_what_the_form_says_is_what_is_asked(radiologist: Person, portal: Portal) -> None:
    address = "/imaging?state=all&modality=MR&organization=CHC03&days=3&q=+wf+&offset=50"
    page = radiologist.get(address).text
    asked = portal.verbs.query.listed[-1]
    assert (asked.waiting, asked.modality, asked.organization) == (False, "MR", "CHC03")
    assert (asked.text, asked.offset, asked.limit) == ("wf", 50, 50)
    today = now().astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    assert asked.since == today - timedelta(days=2)
    assert "<option selected>MR</option>" in page
    assert "已阅" in page
    # Older ones, and the same place of the list when it renews itself.
    assert "offset=51" in page
    assert 'name="offset" value="50"' in page
    assert "state=all&amp;modality=MR&amp;organization=CHC03&amp;days=3&amp;q=wf&offset=0" in page


def test_what_the_form_does_not_offer_is_not_asked(radiologist: Person, portal: Portal) -> None:
    assert radiologist.get("/imaging?state=x&modality=%25&days=9999999999&q=").status_code == 200
    asked = portal.verbs.query.listed[-1]
    assert (asked.waiting, asked.modality, asked.since, asked.text) == (True, "", None, "")
    assert radiologist.get("/imaging?offset=-1").status_code == 400


def test_an_empty_list_says_why(radiologist: Person) -> None:
    piece = radiologist.piece("/imaging?modality=CT").text
    assert "<!doctype html>" not in piece
    assert "没有符合条件的检查" in piece


def test_nobody_else_is_shown_the_list(clinician: Person) -> None:
    assert clinician.get("/imaging").status_code == 403
    assert "阅片列表" not in clinician.get("/patients").text
