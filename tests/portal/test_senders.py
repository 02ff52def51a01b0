"""An administrator registers who sends, teaches the hub how they write, and shows a vendor what is wrong."""

from collections.abc import Iterator

import httpx
import pytest

from hub.access import disclosure_for
from hub.app import Hub
from schemas.disclosure import Principal, Role
from schemas.faults import Category

from .conftest import Person
from .mapping_hub import PASSWORD, mapping_hub, result, send

ASK = disclosure_for(Principal("admin", "", Role.ADMIN, "DH1"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub whose laboratory writes codes of its own."""
    with mapping_hub(tmp_path_factory.mktemp("hub")) as made:
        yield made


@pytest.fixture
def person(hub: Hub) -> Iterator[Person]:
    """An administrator before the portal."""
    with httpx.Client(base_url=f"http://127.0.0.1:{hub.port('web')}", timeout=30) as client:
        made = Person(client)
        assert made.sign_in(Role.ADMIN, PASSWORD).status_code == 303
        yield made


def test_an_institution_and_its_sender_are_registered(hub: Hub, person: Person) -> None:
    told = {"code": "CHC77", "institution_name": "暮云社区卫生服务中心", "kind": "community-centre"}
    assert person.send("/senders/institutions", **told).status_code == 303
    assert '<option value="CHC77" selected>' in person.get("/senders?institution=CHC77").text
    answer = person.send("/senders", name="LIS 77/A&B", institution="CHC77")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/senders/profile?name=LIS%2077%2FA%26B"
    assert 'value="CHC77"' in person.get(answer.headers["location"]).text
    again = person.send("/senders", name="LIS 77/A&B", institution="CHC77")
    assert again.status_code == 400
    assert "此名称的发送方已登记" in again.text
    assert 'value="LIS 77/A&amp;B"' in again.text
    wrong = person.send("/senders/institutions", code="x y", institution_name="某院")
    assert (wrong.status_code, "应为由字母、数字" in wrong.text) == (400, True)
    assert send(hub, result(900, sender="CHC77"), "LIS 77/A&B").fault is None


def test_a_preview_shows_what_saving_then_does(hub: Hub, person: Person) -> None:
    waiting = [send(hub, result(n, pid="PID|1||||芳^王||19680412|F"), "DH1") for n in (800, 801)]
    assert {each.fault.category for each in waiting if each.fault} == {Category.INVALID}
    page = person.get("/senders/profile?name=DH1").text
    assert page.count('formaction="/senders/preview"') == 2

    edited = {"name": "DH1", "authority": "DH1", "time_zone": "Asia/Shanghai", "repair-given-name-first": "on"}
    refused = person.send("/senders/preview", delivery=str(waiting[0].delivery_id), **edited).text
    assert "未提供可用的患者标识" in refused or "缺少可用的患者标识" in refused or "PID-3" in refused
    # The whole page without scripts, with what was edited still in it; a piece with them.
    assert 'name="repair-given-name-first" value="on" checked' in refused
    path, data = "/senders/preview", {"csrf": person.csrf, "delivery": str(waiting[0].delivery_id), **edited}
    piece = person.client.post(path, data=data, headers={"hx-request": "true", "hx-request-type": "partial"}).text
    assert "<html" not in piece
    assert "PID-3" in piece

    saved = person.send("/senders/profile", **edited)
    assert saved.headers["location"] == "/senders/replay?name=DH1"
    done = person.send("/senders/replay", name="DH1", last="0").text
    assert "data-done" in done
    assert "2" in done
    history = person.get("/senders/profile?name=DH1").text
    assert history.count("admin</td>") == 1
    assert "名在前姓在后" in history


def test_a_profile_that_cannot_be_says_where_and_keeps_what_was_typed(person: Person) -> None:
    answer = person.send("/senders/profile", name="CHC02", authority="CHC02", time_zone="Mars/Base")
    assert answer.status_code == 400
    assert "应为时区的 IANA 名称" in answer.text
    assert 'value="Mars/Base"' in answer.text
    assert person.send("/senders/profile", name="nobody", authority="x").status_code == 404
    assert person.send("/senders/preview", name="CHC02", delivery="x").status_code == 400


def test_the_map_of_authorities_is_saved_row_by_row(person: Person) -> None:
    rows = {"sent-0": "东院", "known-0": "CHC01", "sent-1": "", "known-1": "CHC02", "sent-2": "<b>", "known-2": "DH1"}
    saved = person.send("/senders/profile", name="CHC02", authority="CHC02", time_zone="Asia/Shanghai", **rows)
    assert saved.status_code == 303
    page = person.get("/senders/profile?name=CHC02").text
    assert 'name="sent-0" maxlength="100" value="东院"' in page
    assert 'name="sent-1" maxlength="100" value="&lt;b&gt;"' in page


def test_a_vendor_sees_findings_our_reading_and_unmapped_codes_and_nothing_stays(hub: Hub, person: Person) -> None:
    before = hub.verbs.query.deliveries(ASK).total
    pasted = result(700, value="见报告").decode().replace("\r", "\r\n")
    page = person.client.post("/senders/try", data={"csrf": person.csrf, "message": pasted}, files={"file": ("", b"")})
    assert page.status_code == 200
    for words in ("OBX[1]-5", "数据类型为 NM 的值", "王芳", "1001", "不符合标准", "data-print"):
        assert words in page.text, words
    bytes_as_sent = result(701).decode().replace("UNICODE UTF-8", "GB 18030-2000").encode("gb18030")
    files = {"file": ("test.hl7", bytes_as_sent)}
    page = person.client.post("/senders/try", data={"csrf": person.csrf, "name": "CHC01"}, files=files)
    assert "王芳" in page.text
    assert "\N{REPLACEMENT CHARACTER}" not in page.text
    assert hub.verbs.query.deliveries(ASK).total == before

    assert person.client.post("/senders/try", data={"csrf": "x"}, files=files).status_code == 403
    assert person.client.post("/senders/try", data={"csrf": person.csrf}, files={"file": ("", b"")}).status_code == 400


@pytest.mark.parametrize(
    ("sent", "name", "told"),
    [
        ("CHC01", "", ""),
        ("CHC01", "CHC01", ""),
        ("CHC01", "CHC02", "不是 CHC02"),
        ("NOBODY", "", "没有名为 NOBODY（MSH-4）的发送方"),
        ("", "", "MSH-4 为空"),
    ],
)
def test_a_vendor_is_told_that_its_system_names_itself_otherwise(
    person: Person, sent: str, name: str, told: str
) -> None:
    message = result(702).decode().replace("|CHC01|", f"|{sent}|", 1)
    page = person.client.post(
        "/senders/try", data={"csrf": person.csrf, "name": name, "message": message}, files={"file": ("", b"")}
    )
    assert "MSH|" in page.text
    assert told in page.text
    assert ("note-warn" in page.text) == bool(told)


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.LAB_REVIEWER, Role.TECHNICIAN])
def test_senders_are_for_administrators(person: Person, role: Role) -> None:
    person.client.cookies.clear()
    person.sign_in(role, PASSWORD)
    for path in ("/senders", "/senders/profile?name=CHC01", "/senders/try", "/senders/replay?name=CHC01"):
        assert person.get(path).status_code == 403
    assert person.send("/senders", name="X", institution="CHC01").status_code == 403
    assert (person.get("/tasks").status_code == 200) == (role is Role.LAB_REVIEWER)
