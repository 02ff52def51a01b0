"""Repairing and reading again over the hub itself: in forms, and in a browser as an administrator works."""

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from hub import app
from hub.app import Hub
from hub.settings import Settings
from schemas.delivery import DeliveryCriteria, State
from schemas.disclosure import Disclosure, Principal, Purpose, Role
from schemas.organization import Organization, OrganizationKind
from storage import accounts, organizations

from .conftest import Person
from .test_browser import LANGUAGES, SIZES, chromium

__all__ = ["chromium"]

PASSWORD = "horse battery"
ADMIN = Principal("admin", "管理员", Role.ADMIN, "DH1")
RESULT = (
    "MSH|^~\\&|LIS|CHC01|HUB|DX|20261121083000+0800||ORU^R01^ORU_R01|{message}|P|2.5|||||CHN|GB18030\r"
    "PID|1||{patient}||王瑋^芳||19680412|F\r"
    "PV1|1|O\r"
    "OBR|1|O{message}|F{message}|58410-2^血常规^LN|||202611210815+0800|||||||||||||||||LAB|F\r"
    "OBX|1|NM|718-7^血红蛋白^LN||96|g/L|115-150|L|||F\r"
    "OBX|2|NM|2823-3^钾^LN||溶血|mmol/L|3.5-5.3|LL|||F\r"
)
FOUND = "P77^^^CHC01^MR"


def result(message: str, patient: str = FOUND) -> bytes:
    return RESULT.format(message=message, patient=patient).encode("gb18030")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a hub with a technician, a clinician and an administrator: hashing passwords once is enough."""
    folder = tmp_path_factory.mktemp("prepared") / "hub"
    stores = app.open_stores(Settings(data=folder))
    with stores.database.write() as tx:
        for code in ("CHC01", "DH1"):
            organizations.put_organization(tx, Organization(code, f"机构{code}", code, OrganizationKind.OTHER))
            organizations.put_source(tx, code, code, code)
    for role in (Role.TECHNICIAN, Role.CLINICIAN, Role.ADMIN):
        code = "CHC01" if role is Role.TECHNICIAN else "DH1"
        stores.access.put_account(Principal(role.value, role.value, role, code), PASSWORD)
    stores.close()
    return folder


@pytest.fixture
def hub(prepared: Path, tmp_path: Path) -> Iterator[Hub]:
    """A hub on SQLite and a folder of its own."""
    shutil.copytree(prepared, tmp_path / "hub")
    with app.running(Settings(data=tmp_path / "hub", http_port=0), {"web"}) as made:
        yield made


@pytest.fixture
def person(hub: Hub) -> Iterator[Person]:
    """Somebody before the hub's sign-in page."""
    with httpx.Client(base_url=address(hub), timeout=30) as client:
        yield Person(client)


def address(hub: Hub) -> str:
    return f"http://127.0.0.1:{hub.port('web')}"


def as_role(person: Person, role: Role) -> Person:
    person.client.cookies.clear()
    assert person.sign_in(role, PASSWORD).status_code == 303
    return person


def upload(person: Person, *contents: bytes) -> None:
    files = [("files", (f"{number}.hl7", content)) for number, content in enumerate(contents)]
    as_role(person, Role.TECHNICIAN).client.post("/upload", data={"csrf": person.csrf}, files=files)


def states(hub: Hub) -> dict[int, State]:
    asker = Disclosure(ADMIN, Purpose.ADMINISTRATION)
    return {each.id: each.state for each in hub.verbs.query.deliveries(asker, DeliveryCriteria()).items}


def text_of(page: httpx.Response) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page.text, re.DOTALL)
    assert found
    return html.unescape(found[1]).replace("\n", "\r\n")


def test_a_repaired_copy_is_saved_and_the_original_stays(person: Person, hub: Hub) -> None:
    broken = result("1", patient="")
    upload(person, broken)
    admin = as_role(person, Role.ADMIN)
    text = text_of(admin.get("/quarantine/1/repair"))
    changed = text.replace("PID|1||||", f"PID|1||{FOUND}||")
    preview = admin.send("/quarantine/1/preview", text=changed).text
    assert "可以解析" in preview
    assert "血常规" in preview
    assert "不是数字，按文本保留" in preview
    assert states(hub) == {1: State.QUARANTINED}
    saved = admin.send("/quarantine/1/repair", text=changed, reason="identifier")
    assert saved.headers["location"] == "/quarantine/2"
    assert states(hub) == {1: State.REPAIRED, 2: State.INDEXED}
    assert admin.get("/quarantine/1/original").content == broken
    page = admin.get("/quarantine/1").text
    assert "已修复" in page
    assert "/quarantine/2" in page
    assert "/quarantine/1/repair" not in page
    assert as_role(person, Role.CLINICIAN).get("/reports/1/original").content == result("1")


def test_a_copy_is_not_saved_without_a_change_and_a_reason(person: Person, hub: Hub) -> None:
    upload(person, result("1", patient=""))
    admin = as_role(person, Role.ADMIN)
    text = text_of(admin.get("/quarantine/1/repair"))
    assert "副本与原件相同" in admin.send("/quarantine/1/repair", text=text, reason="other").text
    page = admin.send("/quarantine/1/repair", text=text + "ZXX|王瑋", reason="because")
    assert "请选择修复原因" in page.text
    assert "ZXX|王瑋" in text_of(page)
    assert "尚未作任何修改" in admin.send("/quarantine/1/preview", text=text).text
    assert states(hub) == {1: State.QUARANTINED}


def test_the_fault_is_marked_at_its_very_place(person: Person) -> None:
    upload(person, result("1", patient=""))
    page = as_role(person, Role.ADMIN).get("/quarantine/1").text
    assert page.count("raw-marked") == 1
    marked = re.search(r'<tr class="raw-flagged raw-marked">.*?</tr>', page, re.DOTALL)
    assert marked
    assert "PID[1]" in marked[0]
    assert re.search(r"PID\|1\|\|?\|<mark>∅</mark>\|\|王瑋", marked[0].replace("</td>", ""))
    assert "患者标识符" in page


def test_what_a_message_holds_never_becomes_part_of_the_page(person: Person) -> None:
    upload(person, result("1", patient="").replace(b"g/L", b'<script>alert(1)</script>"><b>'))
    admin = as_role(person, Role.ADMIN)
    text = text_of(admin.get("/quarantine/1/repair"))
    pages = [admin.get("/quarantine/1").text, admin.get("/quarantine/1/repair").text]
    for page in [*pages, admin.send("/quarantine/1/preview", text=text + "</textarea><b>").text]:
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page
        assert "<b>" not in page


def test_a_batch_says_which_of_its_messages_is_bad(person: Person, hub: Hub) -> None:
    bad = result("2", patient="")
    upload(person, b"FHS|^~\\&|LIS\r" + bad + result("3", patient="") + b"FTS|2\r")
    page = as_role(person, Role.ADMIN).get("/quarantine/1").text
    assert "第 1 条消息，共 2 条" in page
    assert "第 2 条消息，共 2 条" in page
    # One bad message among good ones waits by itself.
    upload(person, result("4") + bad + result("5"))
    assert sorted(states(hub).items())[1:] == [(2, State.INDEXED), (3, State.QUARANTINED)]
    assert as_role(person, Role.ADMIN).get("/quarantine/3/original").content == bad


def test_a_held_delivery_says_what_it_contradicts_and_the_ways_out(person: Person, hub: Hub) -> None:
    upload(person, result("1"), result("2").replace(b"19680412", b"19700101"))
    assert states(hub)[2] is State.HELD
    page = as_role(person, Role.ADMIN).get("/quarantine/2").text
    assert "发送方此前在该患者号下描述的是另一人" in page
    assert 'href="/doubts"' in page
    assert "/quarantine/2/repair" in page


def test_many_are_read_again_by_choice_and_by_search(person: Person, hub: Hub) -> None:
    upload(person, *(result(str(number), patient="") for number in range(3)))
    admin = as_role(person, Role.ADMIN)
    chosen = admin.send("/quarantine/replay", **{"delivery-1": "on", "delivery-2": "on", "which": "chosen"})
    assert "已重新解析 2 件" in chosen.text
    found = admin.send("/quarantine/replay", state="quarantined", source="chc01", which="all")
    assert "已重新解析 3 件" in found.text
    assert "请先选择来件" in admin.send("/quarantine/replay", which="chosen").text
    assert "没有待处理的来件" in admin.piece("/quarantine?source=DH1").text
    assert "没有待处理的来件" in admin.piece("/quarantine?since=2099-01-01").text
    assert "没有待处理的来件" in admin.piece("/quarantine?category=conflict").text
    assert admin.piece("/quarantine?category=invalid&until=2099-01-01").text.count("row-link") == 3


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.CLINICIAN])
def test_only_administrators_come_here(person: Person, hub: Hub, role: Role) -> None:
    upload(person, result("1", patient=""))
    asker = as_role(person, role)
    assert asker.get("/quarantine/1/repair").status_code == 403
    for path in ("/quarantine/1/repair", "/quarantine/1/preview", "/quarantine/replay"):
        assert asker.send(path, text="x", reason="other").status_code == 403
    person.csrf = "forged"
    as_role(person, Role.ADMIN)
    person.csrf = "forged"
    assert person.send("/quarantine/1/repair", text="x", reason="other").status_code == 403


def test_beside_a_report_stands_what_became_of_every_segment(person: Person) -> None:
    upload(person, result("1"))
    clinician = as_role(person, Role.CLINICIAN)
    assert "/reports/1/segments" in clinician.get("/reports/1").text
    piece = clinician.piece("/reports/1/segments").text
    rows = re.findall(r"<summary><code>(.*?)</code>", piece)
    assert rows[0] == "OBX[2]"  # flagged ones first
    assert set(rows) == {"MSH[1]", "PID[1]", "PV1[1]", "OBR[1]", "OBX[1]", "OBX[2]"}
    assert "参考范围" in piece
    assert "<html" in clinician.get("/reports/1/segments").text
    assert as_role(person, Role.ADMIN).get("/reports/1/segments").status_code == 403


def _sign_in(page: Page, hub: Hub, account: str) -> None:
    page.goto(address(hub))
    page.locator("[name=account]").fill(account)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("language", "size"), [("zh", "desk"), ("en", "phone")])
def test_an_administrator_repairs_and_reads_again_in_a_browser(
    chromium: Browser, hub: Hub, person: Person, language: str, size: str
) -> None:
    upload(person, result("1", patient=""), result("2", patient=""))
    with hub.verbs.database.write() as tx:
        accounts.put_language(tx, "admin", language)
    context = chromium.new_context(viewport=SIZES[size], locale=LANGUAGES[language])
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    _sign_in(page, hub, "admin")
    page.locator("[data-choose-all]").check()
    page.locator("button[value=chosen]").click()
    expect(page.locator("#deliveries .note")).to_contain_text("2")
    page.locator(".row-link").last.click()
    expect(page.locator(".raw-marked mark")).to_have_text("∅")
    _fits(page)
    page.locator('a[href$="/repair"]').click()
    field = page.locator("#repair-text")
    field.fill(field.input_value().replace("PID|1||||", f"PID|1||{FOUND}||"))
    page.locator("[hx-post]", has_text=re.compile("预览|Preview")).click()
    expect(page.locator("#preview .note-good")).to_be_visible()
    _fits(page)
    page.locator("select[name=reason]").select_option("identifier")
    page.locator(".repair-form button.btn-primary").click()
    page.wait_for_url(re.compile(r"/quarantine/3$"))
    assert states(hub) == {1: State.REPAIRED, 2: State.QUARANTINED, 3: State.INDEXED}
    context.close()
    assert not wrong
    # What nobody touched, the browser gave back byte for byte.
    assert as_role(person, Role.CLINICIAN).get("/reports/1/original").content == result("1")


def _fits(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, page.url
