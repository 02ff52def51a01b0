"""Getting in and out: nobody sees a page without it, and it gives nothing away."""

import re

import httpx
import pytest
from fastapi.routing import APIRoute

from hub.portal import router, session
from schemas.disclosure import Role

from . import fakes
from .conftest import Person, Portal, field

# The viewer's script is the same for everybody, as all static files are.
OPEN = {"/sign-in", "/language", "/ecg-viewer.js"}
# Files that a page fetches, and nobody opens: to lead them to another page would only confuse it.
FILES = {"/viewer/files/1/1"}


def addresses(method: str) -> list[str]:
    """The portal's addresses, numbers filled in."""
    parts = [getattr(part, "original_router", None) for part in router.routes]
    routes = [route for part in parts if part is not None for route in part.routes] + list(router.routes)
    ours = [route for route in routes if isinstance(route, APIRoute) and method in (route.methods or ())]
    assert len(ours) > 5
    # Whatever a path names: who may see it is asked first.
    return [re.sub(r"\{[\w:]+\}", "1", r.path) for r in ours]


def test_without_signing_in_every_page_leads_to_the_sign_in_page(visitor: Person) -> None:
    for path in addresses("GET"):
        if path not in OPEN:
            answer = visitor.get(path)
            if path in FILES:
                assert answer.status_code == 401
                continue
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in"), path
            assert "王芳" not in answer.text


def test_without_signing_in_nothing_can_be_sent(visitor: Person, portal: Portal) -> None:
    for path in addresses("POST"):
        if path not in OPEN:
            assert visitor.client.post(path, data={"csrf": ""}).status_code == 303, path
    assert not portal.verbs.ingest.hints
    assert len(portal.verbs.query.decisions_) == 3


def test_a_form_that_another_page_made_is_refused(clinician: Person, portal: Portal) -> None:
    for path in addresses("POST"):
        if path != "/sign-in":
            for token in ("", "guessed", "é"):
                answer = clinician.client.post(path, data={"csrf": token, "version": "1", "choice": "recognised"})
                assert answer.status_code == 403, (path, token)
    assert len(portal.verbs.query.decisions_) == 3
    assert clinician.get("/help").status_code == 200


def test_sign_in_needs_the_form_that_this_browser_was_shown(visitor: Person, portal: Portal) -> None:
    shown = field(visitor.get("/sign-in"), "csrf")
    with httpx.Client(base_url=portal.address) as elsewhere:
        words = {"csrf": shown, "account": "clinician", "password": fakes.PASSWORD}
        assert elsewhere.post("/sign-in", data=words).status_code == 403


def test_after_signing_in_a_person_is_where_they_wanted_to_be(visitor: Person) -> None:
    asked = visitor.get("/reports/1?version=1")
    page = visitor.get(asked.headers["location"])
    assert field(page, "next") == "/reports/1?version=1"
    words = {"csrf": field(page, "csrf"), "next": field(page, "next"), "account": "clinician"}
    answer = visitor.client.post("/sign-in", data={**words, "password": fakes.PASSWORD})
    assert answer.headers["location"] == "/reports/1?version=1"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "", "/a\r\nb: c"])
def test_the_way_back_never_leads_to_another_site(elsewhere: str) -> None:
    assert session.local_path(elsewhere) == "/"


def test_a_wrong_password_and_an_unknown_account_look_the_same(visitor: Person) -> None:
    wrong, unknown = visitor.sign_in("clinician", "guess"), visitor.sign_in("nobody", "guess")
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.text.replace("clinician", "") == unknown.text.replace("nobody", "")
    assert "账号或密码错误" in wrong.text


def test_who_guesses_too_often_has_to_wait(visitor: Person, portal: Portal) -> None:
    portal.verbs.access.failures = 10
    answer = visitor.sign_in("clinician")
    assert answer.status_code == 503
    assert "尝试次数过多" in answer.text


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(visitor: Person) -> None:
    visitor.get("/sign-in")
    answer = visitor.sign_in("clinician")
    kept = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("dxhub_session="))
    assert "HttpOnly" in kept
    assert "SameSite=lax" in kept
    assert "Max-Age=" in kept
    assert "Secure" not in kept


def test_behind_tls_cookies_stay_there(visitor: Person) -> None:
    answer = visitor.get("/sign-in", x_forwarded_proto="https")
    assert "Secure" in answer.headers["set-cookie"]


def test_signing_out_ends_the_session_on_both_sides(clinician: Person, portal: Portal) -> None:
    token = clinician.client.cookies["dxhub_session"]
    assert clinician.send("/sign-out").headers["location"] == "/sign-in"
    assert token not in portal.verbs.access.sessions
    assert clinician.get("/patients").status_code == 303


@pytest.mark.parametrize(
    ("role", "page"),
    [
        (Role.TECHNICIAN, "/upload"),
        (Role.CLINICIAN, "/patients"),
        (Role.RADIOLOGIST, "/imaging"),
        (Role.ECG_READER, "/ecg"),
        (Role.LAB_REVIEWER, "/patients"),
        (Role.QUALITY, "/decisions"),
        (Role.ADMIN, "/quarantine"),
        (Role.AUDITOR, "/audit"),
    ],
)
def test_each_role_begins_where_its_work_is(visitor: Person, role: Role, page: str) -> None:
    visitor.sign_in(role)
    assert visitor.get("/").headers["location"] == page
    assert visitor.get(page).status_code == 200
    assert visitor.get("/help").status_code == 200


@pytest.mark.parametrize(
    ("role", "closed"),
    [
        (Role.CLINICIAN, ["/upload", "/quarantine", "/quarantine/101", "/doubts", "/audit", "/decisions"]),
        (Role.TECHNICIAN, ["/quarantine", "/quarantine/101", "/doubts", "/audit", "/decisions"]),
        (Role.ADMIN, ["/reports/1", "/reports/1/original", "/audit", "/upload", "/decisions"]),
        (Role.AUDITOR, ["/patients?q=王", "/patients/1", "/reports/1", "/quarantine", "/doubts"]),
        (Role.QUALITY, ["/upload", "/quarantine/101", "/audit", "/doubts"]),
    ],
)
def test_what_a_role_does_not_include_stays_closed(visitor: Person, role: Role, closed: list[str]) -> None:
    visitor.sign_in(role)
    menu = visitor.get("/help").text
    for path in closed:
        answer = visitor.get(path)
        assert answer.status_code == 403, path
        assert "您的角色没有此项权限" in answer.text
        assert f'<a href="{path}"' not in menu
