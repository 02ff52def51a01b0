"""The quality officer's pages over a real hub: the catalogue, the records, and sheets shown before they are saved."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub import app
from hub.app import Hub
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.organization import Organization, OrganizationKind
from schemas.quality import Assessed, QualityRecord, Standing
from schemas.wording import ZONE
from storage import organizations, outbox, quality

from .conftest import Person, field

PASSWORD = "horse battery"
YEAR = dt.datetime.now(ZONE).year
PASSED = QualityRecord("CHC01", "L-718-7", Standing.PASSED, dt.date(YEAR, 1, 1), dt.date(YEAR + 1, 1, 1))
LATE = QualityRecord("CHC01", "L-6690-2", Standing.PASSED, dt.date(YEAR - 1, 1, 1), dt.date(YEAR, 1, 1))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with app.running(Settings(data=tmp_path, http_port=0), {"web"}) as made:
        with made.verbs.database.write() as tx:
            organizations.put_organization(tx, Organization("CHC01", "青松社区卫生服务中心", "Qingsong"))
            organizations.put_organization(tx, Organization("HB01", "卫健局", "Bureau", OrganizationKind.BUREAU))
            quality.put(tx, [PASSED, LATE], changed_by="", reason="年度质评", now=dt.datetime.now(dt.UTC))
        for role in (Role.QUALITY, Role.CLINICIAN):
            made.stores.access.put_account(Principal(role.value, "质控员", role, "HB01"), PASSWORD)
        made.stores.access.put_account(Principal("local", "质控员", Role.QUALITY, "CHC01"), PASSWORD)
        yield made


@pytest.fixture
def officer(hub: Hub) -> Iterator[Person]:
    with httpx.Client(base_url=f"http://127.0.0.1:{hub.port('web')}", trust_env=False) as client:
        person = Person(client)
        assert person.sign_in(Role.QUALITY, PASSWORD).status_code == 303
        yield person


def sheet(person: Person, path: str, text: str) -> httpx.Response:
    files = {"file": ("sheet.csv", text.encode("gb18030"), "text/csv")}
    return person.client.post(path, data={"csrf": person.csrf}, files=files)


def rows(page: httpx.Response) -> list[str]:
    return [re.sub(r"<[^>]+>|\s+", " ", row) for row in re.findall(r"<tr.*?</tr>", page.text, re.DOTALL)]


def test_only_those_who_keep_them_see_these_pages(hub: Hub, officer: Person) -> None:
    menu = officer.get("/help").text
    assert 'href="/quality"' in menu
    assert 'href="/catalogue"' in menu
    with httpx.Client(base_url=str(officer.client.base_url), trust_env=False) as client:
        clinician = Person(client)
        clinician.sign_in(Role.CLINICIAN, PASSWORD)
        for path in ("/catalogue", "/catalogue/items/L-718-7", "/catalogue/import", "/quality", "/quality/sheet.csv"):
            assert clinician.get(path).status_code == 403, path
        for path in ("/catalogue/save", "/quality/import", "/quality/institutions/CHC01/L-718-7"):
            assert clinician.send(path).status_code == 403, path
    assert len(hub.verbs.catalogue.history("L-718-7")) == 1


def test_an_institution_s_own_officer_reads_and_does_not_keep(officer: Person) -> None:
    with httpx.Client(base_url=str(officer.client.base_url), trust_env=False) as client:
        local = Person(client)
        local.sign_in("local", PASSWORD)
        for path in ("/catalogue", "/catalogue/items/L-718-7", "/quality", "/quality/institutions/CHC01/L-718-7"):
            page = local.get(path)
            assert page.status_code == 200, path
            assert "/import" not in page.text
            assert 'name="reason"' not in page.text
        here = "/quality/institutions/CHC01/L-718-7"
        said = {"since": f"{YEAR}-05-01", "until": f"{YEAR}-12-31", "standing": "合格", "scope": "市", "reason": "自评"}
        assert local.send(here, **said).status_code == 403


def test_an_item_is_searched_opened_and_changed_with_a_reason(hub: Hub, officer: Person) -> None:
    found = officer.piece("/catalogue?q=xhdb")
    assert "L-718-7" in found.text
    assert "<html" not in found.text
    page = officer.get("/catalogue/items/L-718-7")
    assert "12 小时" in page.text
    assert "本区默认" in page.text
    told = dict(re.findall(r'<input [^>]*name="(\w+)"[^>]*? value="([^"]*)"', page.text))
    told |= {"scope": "省", "category": "检验", "price": "4.50", "outpatient_valid": "10d", "reason": "物价调整"}
    refused = officer.send("/catalogue/save", **told | {"csrf": officer.csrf, "unit": "克", "outpatient_valid": "很久"})
    assert refused.status_code == 400
    assert any("门诊有效期" in row and "很久" in row for row in rows(refused))
    answer = officer.send("/catalogue/save", **told | {"csrf": officer.csrf})
    assert answer.status_code == 303, answer.text
    newest = hub.verbs.catalogue.history("L-718-7")[0]
    assert (newest.version, newest.item.price_fen, newest.reason) == (2, 450, "物价调整")
    page = officer.get("/catalogue/items/L-718-7")
    assert "物价调整" in page.text
    stale = officer.send("/catalogue/save", **told | {"csrf": officer.csrf})
    assert "刚被他人修改" in stale.text


def test_an_item_is_retired_and_taken_back(hub: Hub, officer: Person) -> None:
    said = {"code": "R-MR-KNEE", "reason": "不再互认"}
    assert officer.send("/catalogue/save", **said, action="retire", version="1").status_code == 303
    assert "R-MR-KNEE" in officer.get("/catalogue?category=retired").text
    assert '/catalogue/items/R-MR-KNEE"' not in officer.get("/catalogue?q=R-MR-KNEE").text
    assert officer.send("/catalogue/save", **said, action="restore", version="2").status_code == 303
    assert hub.verbs.catalogue.catalogue().get("R-MR-KNEE") is not None
    # A blood count is made of haemoglobin.
    assert officer.send("/catalogue/save", code="L-718-7", reason="x", action="retire", version="1").status_code == 400


def test_the_catalogue_goes_out_as_a_sheet_and_comes_back_with_a_preview(hub: Hub, officer: Person) -> None:
    out = officer.get("/catalogue/sheet.csv")
    assert out.headers["content-disposition"] == 'attachment; filename="catalogue.csv"'
    again = sheet(officer, "/catalogue/import", out.content.decode("utf-8-sig"))
    assert "没有变更" in again.text
    preview = sheet(officer, "/catalogue/import", "编码,价格\nL-718-7,8\nL-6690-2,9\n")
    assert preview.status_code == 200
    assert hub.verbs.catalogue.catalogue().items["L-718-7"].price_fen == 300, "a preview saves nothing"
    kept = {name: field(preview, name) for name in ("content", "stamp")}
    assert officer.send("/catalogue/import/save", **kept, reason="").status_code == 400
    assert officer.send("/catalogue/import/save", **kept, reason="新价格").status_code == 303
    assert hub.verbs.catalogue.catalogue().items["L-718-7"].price_fen == 800
    assert officer.send("/catalogue/import/save", **kept, reason="又一次").status_code == 400
    assert officer.send("/catalogue/import/save", content="%%%", stamp="1", reason="x").status_code == 400


def test_a_sheet_that_is_none_is_explained(officer: Person) -> None:
    for text in ("", "a,b\n1,2\n"):
        answer = sheet(officer, "/quality/import", text)
        assert answer.status_code == 400
        assert "note-bad" in answer.text


def test_what_did_not_pass_today_stands_first_and_in_words(officer: Person) -> None:
    page = officer.get("/quality")
    (row,) = [each for each in rows(page) if "青松" in each]
    assert "白细胞计数 已过期" in " ".join(row.split())
    page = officer.get("/quality/institutions/CHC01")
    lines = {re.split(r" (?=合格|已过期)", " ".join(row.split()))[0]: row for row in rows(page)[1:]}
    assert list(lines) == ["白细胞计数", "血红蛋白"]
    before = officer.get(f"/quality/institutions/CHC01?year={YEAR - 1}")
    (white,) = [" ".join(row.split()) for row in rows(before) if "白细胞" in row]
    assert white == "白细胞计数 已过期 合格"


def test_a_record_is_edited_and_whoever_relied_on_it_will_be_told(hub: Hub, officer: Person) -> None:
    here = "/quality/institutions/CHC01/L-718-7"
    page = officer.get(f"{here}?since={YEAR}-01-01")
    said = {name: field(page, name) for name in ("version", "key")}
    said |= {"since": f"{YEAR}-01-01", "until": f"{YEAR}-12-31", "standing": "不合格", "scope": "区县"}
    assert officer.send(here, **said, reason="").status_code == 400
    assert officer.send(here, **said | {"until": f"{YEAR - 1}-01-01"}, reason="x").status_code == 400
    assert officer.send(here, **said, reason="复核不合格").status_code == 303
    now = dt.datetime.now(ZONE)
    assert hub.verbs.quality.book().standing("CHC01", "L-718-7", "", now).assessed is Assessed.FAILED
    with hub.verbs.database.read() as tx:
        assert [each.topic for each in outbox.pending(tx, 10)] == ["quality.changed"]
    assert "复核不合格" in officer.get(here).text
    assert officer.send(here, **said, reason="再来").status_code == 400, "the version that was seen is no longer there"
    new = {"since": f"{YEAR}-01-01", "until": f"{YEAR}-12-31", "standing": "合格", "scope": "区县"}
    assert officer.send(here, **new, reason="覆盖").status_code == 400, "a new record overwrites none that holds"
    said["version"] = "2"
    assert officer.send(here, **said, action="withdraw", reason="录入有误").status_code == 303
    assert officer.send(here, **new, reason="重新录入").status_code == 303
    assert hub.verbs.quality.book().standing("CHC01", "L-718-7", "", now).assessed is Assessed.PASSED


def test_records_come_from_a_sheet_after_their_preview(hub: Hub, officer: Person) -> None:
    head = "机构,项目,结果,开始日期,截止日期\n"
    bad = sheet(officer, "/quality/import", head + f"CHC99,718-7,合格,{YEAR}-01-01,{YEAR}-12-31\n")
    assert bad.status_code == 400
    assert any("已登记机构的代码" in row and "CHC99" in row for row in rows(bad))
    assert "import/save" not in bad.text
    good = sheet(officer, "/quality/import", head + f"CHC01,4548-4,合格,{YEAR}/1/1,{YEAR}/12/31\n")
    kept = {name: field(good, name) for name in ("content", "stamp")}
    assert officer.send("/quality/import/save", **kept, reason="年度质评").status_code == 303
    assert ("CHC01", "L-4548-4") in hub.verbs.quality.book().about()


def test_the_pages_are_in_english_too(officer: Person) -> None:
    officer.send("/language", language="en")
    for path in ("/catalogue/import", "/quality", "/quality/import", "/quality/institutions/CHC01/L-718-7"):
        text = officer.get(path).text.replace("中文", "").replace("质控员", "").replace("年度质评", "")
        text = re.sub(r'value="[^"]*"', "", text)
        assert not re.findall(r"[一-龥]", text), path
