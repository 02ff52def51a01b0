"""What somebody wrote never becomes part of a page, and a page never runs what is not ours."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.portal import formats, laboratory, raw_view
from hub.retrieve.content import Content
from schemas.disclosure import Role
from schemas.identifiers import RESIDENT_ID, Identifier

from . import fakes
from .conftest import Person

EVERY_PAGE = [
    (Role.CLINICIAN, "/patients?q=<script>"),
    (Role.CLINICIAN, "/patients/3"),
    (Role.CLINICIAN, "/reports/9"),
    (Role.CLINICIAN, "/reports/1"),
    (Role.CLINICIAN, "/reports/4"),
    (Role.CLINICIAN, "/reports/5"),
    (Role.CLINICIAN, "/reports/6"),
    (Role.CLINICIAN, "/reports/9/trend?code=<script>&unit=<script>"),
    (Role.CLINICIAN, "/<script>alert(1)</script>"),
    (Role.CLINICIAN, "/help"),
    (Role.CLINICIAN, "/notices"),
    (Role.TECHNICIAN, "/upload"),
    (Role.ADMIN, "/quarantine?state=all&q=<script>"),
    (Role.ADMIN, "/quarantine/101"),
    (Role.ADMIN, "/quarantine/102"),
    (Role.ADMIN, "/doubts"),
    (Role.QUALITY, "/decisions"),
    (Role.AUDITOR, "/audit?account=<script>"),
]


OUR_SCRIPTS = ("/static/", "/ecg-viewer.js?v=")


class Inline(HTMLParser):
    """Collects what would need a policy with 'unsafe-inline', and markup that only hostile values could bring."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.found += [f"{tag} {name}" for name in names if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and not (names.get("src") or "").startswith(OUR_SCRIPTS)):
            self.found.append(tag)
        if tag == "b" or (tag == "img" and (names.get("src") or "").startswith("x")):
            self.found.append(tag)
        if (names.get("href") or "").startswith("javascript:"):
            self.found.append("javascript:")


@pytest.mark.parametrize(("role", "path"), EVERY_PAGE)
def test_no_page_holds_anything_that_runs_beside_our_own_files(visitor: Person, role: Role, path: str) -> None:
    visitor.sign_in(role)
    answer = visitor.get(path)
    seen = Inline()
    seen.feed(answer.text)
    assert not seen.found
    assert "<script>alert" not in answer.text


def test_hostile_words_are_shown_as_they_were_written(clinician: Person) -> None:
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in clinician.get("/reports/9").text


@pytest.mark.parametrize("path", ["/sign-in", "/patients", "/nowhere", "/static/portal.css"])
def test_every_answer_forbids_what_a_page_does_not_need(clinician: Person, path: str) -> None:
    headers = clinician.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"


def test_pages_are_kept_by_no_cache_and_files_by_their_content(clinician: Person) -> None:
    page = clinician.get("/patients")
    assert page.headers["cache-control"] == "no-store"
    addresses = re.findall(r'(?:href|src)="(/static/[^"#]+)', page.text)
    assert len(addresses) > 5
    for address in addresses:
        answer = clinician.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]


def test_an_endless_form_is_cut_short(clinician: Person) -> None:
    assert clinician.send("/reports/1/decisions", comment="x" * 100_000).status_code == 400
    many = {f"f{n}": "" for n in range(500)}
    assert clinician.send("/reports/1/decisions", **many).status_code == 400
    broken = clinician.client.post(
        "/reports/1/decisions", content=b"a=\xff\xfe&b", headers={"content-type": "text/plain"}
    )
    assert broken.status_code in {400, 403}


@given(st.text(max_size=40))
def test_of_a_resident_number_only_the_end_is_shown(number: str) -> None:
    shown = formats.masked(Identifier(RESIDENT_ID, number))
    assert len(shown.replace("•", "")) <= 4 + number.count("•")


@given(st.binary(max_size=4000), st.text(max_size=10))
def test_any_bytes_can_be_looked_at(data: bytes, where: str) -> None:
    shown = raw_view.raw_view(Content("", "", len(data), iter([data])), where)
    assert shown.kind in {"text", "hex"}
    assert shown.lines or not data


def test_chinese_of_either_encoding_reads_as_chinese() -> None:
    for encoding in ("utf-8", "gb18030"):
        data = "PID|1||王芳\r".encode(encoding) * 3000
        shown = raw_view.raw_view(Content("", "", len(data), iter([data])), "PID-3")
        assert shown.lines[0].text == "PID|1||王芳"
        assert shown.lines[0].marked
        assert shown.cut is (len(data) > raw_view.TEXT_LIMIT_BYTES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.5-9.5", (3.5, 9.5)),
        ("3.5--9.5", (3.5, 9.5)),
        ("-2 ~ 3", (-2.0, 3.0)),
        ("115～150", (115.0, 150.0)),
        ("<5.0", (None, 5.0)),
        ("≤ 5", (None, 5.0)),
        (">=60", (60.0, None)),
        ("阴性", (None, None)),
        ("", (None, None)),
        ("1:80", (None, None)),
    ],
)
def test_reference_ranges_are_drawn_only_where_they_are_numbers(
    text: str, expected: tuple[float | None, float | None]
) -> None:
    assert laboratory.limits(text) == expected


@given(st.text(max_size=60))
def test_no_reference_range_breaks_the_chart(text: str) -> None:
    laboratory.limits(text)


def test_fakes_hold_no_number_of_a_living_person() -> None:
    numbers = [i.value for p in fakes.PATIENTS for i in p.patient.identifiers if i.system == RESIDENT_ID]
    assert numbers
    assert all(number.startswith("990") for number in numbers)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("10*9/L", "×10⁹/L"),
        ("10*12/L", "×10¹²/L"),
        ("10^9/L", "×10⁹/L"),
        ("umol/L", "μmol/L"),
        ("ug/mL", "μg/mL"),
        ("m[IU]/L", "mIU/L"),
        ("mL/min/{1.73_m2}", "mL/min/1.73 m²"),
        ("deg", "°"),
        ("g/L", "g/L"),
        ("U/L", "U/L"),
        ("mmol/L", "mmol/L"),
        ("个/HP", "个/HP"),
        ("", ""),
    ],
)
def test_units_are_written_as_people_read_them(sent: str, read: str) -> None:
    assert formats.spelled(sent) == read
