"""Chinese first, English beside it: every word of every page exists in both."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from hub.portal import i18n
from hub.portal.fault_words import KNOWN, teller
from schemas.disclosure import Role
from tests.source_tree import ROOT

from .conftest import Person, Portal

PORTAL = ROOT / "hub" / "portal"
CATALOGUE = PORTAL / "locale" / "zh" / "LC_MESSAGES" / "portal.po"
PLACEHOLDER = re.compile(r"%\(\w+\)s")
PACKAGES = {"schemas", "storage", "adapters", "hub"}


def used() -> set[str]:
    """Every msgid that a template or a module names."""
    jinja = {"silent": "false", "extensions": "jinja2.ext.do,jinja2.ext.loopcontrols"}
    found = extract_from_dir(
        PORTAL,
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")],
        options_map={"templates/**.html": jinja},
        keywords={"_": None, "N_": None},
    )
    return {str(message) for _, _, message, _, _ in found}


def test_every_word_has_a_chinese_one_and_no_chinese_one_is_left_over() -> None:
    words = i18n.messages("zh")
    assert len(words) > 300
    assert used() - words.keys() == set()
    assert words.keys() - used() == set()


def test_both_languages_fill_in_the_same_values() -> None:
    for english, chinese in i18n.messages("zh").items():
        assert set(PLACEHOLDER.findall(english)) == set(PLACEHOLDER.findall(chinese)), english


def test_the_catalogue_is_sound() -> None:
    with Path(CATALOGUE).open("rb") as stream:
        catalogue = read_po(stream, locale="zh", abort_invalid=True)
    assert not [message.id for message, errors in catalogue.check() if errors]


def test_no_word_is_translated_twice() -> None:
    # Read back, the last one would stand on every page that shows either.
    said = re.findall(r'^msgid "(.*)"$', Path(CATALOGUE).read_text("utf-8"), re.MULTILINE)
    assert sorted({word for word in said if word and said.count(word) > 1}) == []


def test_no_page_has_words_outside_the_catalogue() -> None:
    # Text between tags that is neither an expression nor a sign is a word nobody can translate.
    allowed = {"DICOM SR", "DICOM ECG", "DICOM PDF", "PDF", "English", "中文", "SHA-256", "Esc", "/", "v", "/v", "· v"}
    for path in sorted((PORTAL / "templates").glob("*.html")):
        text = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!doctype[^>]*>", "\n", path.read_text("utf-8"), flags=re.DOTALL
        )
        words = {word.strip() for piece in re.split(r"<[^>]*>", text) for word in piece.split("\n")}
        said = {word for word in words if re.search(r"[A-Za-z一-龥]", word)}
        assert said <= allowed, path.name


@pytest.mark.parametrize(
    ("accepts", "language"),
    [("", "zh"), ("en-GB,en;q=0.9", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("fr, en;q=0.2", "en"), ("de", "zh")],
)
def test_a_browser_is_answered_in_its_language_until_somebody_chooses(
    visitor: Person, accepts: str, language: str
) -> None:
    page = visitor.get("/sign-in", accept_language=accepts).text
    assert ("登录" in page) == (language == "zh")
    assert ("Sign in" in page) == (language == "en")


@given(st.text(max_size=200).filter(lambda text: "\0" not in text))
def test_whatever_a_browser_accepts_there_is_a_language(header: str) -> None:
    raw = header.encode("utf-8", "surrogatepass")
    request = Request({"type": "http", "headers": [(b"accept-language", raw)]})
    assert i18n.language_of(request) in i18n.LANGUAGES


def test_the_language_stays_with_the_browser_and_with_the_account(visitor: Person, portal: Portal) -> None:
    visitor.client.post("/language", data={"language": "en"})
    assert "Sign in" in visitor.get("/sign-in").text
    visitor.sign_in(Role.CLINICIAN)
    assert "Find a patient" not in visitor.get("/patients").text  # the account's own language goes first
    back = visitor.client.post(
        "/language",
        data={"language": "en", "csrf": visitor.csrf},
        headers={"Referer": f"{portal.address}/patients?q=wf"},
    )
    assert back.headers["location"] == "/patients?q=wf"
    page = visitor.get("/patients?q=wf").text
    assert "Find a patient" in page
    assert '<html lang="en">' in page
    assert portal.verbs.access.languages == {"clinician": "en"}


def test_an_unknown_language_or_another_sites_page_does_no_harm(visitor: Person) -> None:
    answer = visitor.client.post("/language", data={"language": "xx"}, headers={"Referer": "https://evil.example/a"})
    assert answer.headers["location"] == "/"
    assert "登录" in visitor.get("/sign-in").text


def test_english_pages_hold_no_chinese_but_what_was_sent(visitor: Person) -> None:
    visitor.sign_in(Role.AUDITOR)
    visitor.send("/language", language="en")
    page = visitor.get("/audit").text.replace("陈医生", "").replace("中文", "")
    assert not re.findall(r"[一-龥]", page)


def test_what_people_meet_at_work_is_said_in_chinese() -> None:
    told = teller(i18n.translator("zh"))
    assert told("no usable patient identifier") == "没有可用的患者标识"
    assert told("declares 8192 bytes where 8130 are left") == "声明为 8192 字节，实际只剩 8130 字节"
    contradicted = "the patient known under this identifier is described otherwise (birth-date-differs)"
    assert told(contradicted) == "该标识下的患者信息与已知记录不符（出生日期不一致）"
    unnamed = "a PDF cannot say whose it is: the upload must name patient, time of the examination"
    assert told(unnamed) == "PDF 无法自带患者身份，上传时须填写：患者, 检查时间"
    assert told("something that nobody translated") == "something that nobody translated"
    assert teller(i18n.translator("en"))(contradicted).endswith("(The birth dates differ)")


@pytest.mark.parametrize("words", KNOWN)
def test_every_fault_with_chinese_words_can_still_be_raised(words: str) -> None:
    # Where values stand differs from raiser to raiser; the words around them do not.
    parts = [part for part in re.split(PLACEHOLDER, words) if part.strip("() ")]
    sources = [path for path in ROOT.glob("*/**/*.py") if path.parts[len(ROOT.parts)] in PACKAGES]
    text = "\n".join(path.read_text("utf-8") for path in sources if path.name != "fault_words.py")
    assert all(part in text for part in parts)
