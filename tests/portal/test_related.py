"""What senders say over MLLP of orders, cultures, pointers and merges, as people then see it on the pages."""

import re
import socket
from collections.abc import Iterator

import httpx
import pytest

from adapters.hl7v2.frames import framed
from hub import app
from hub.app import Hub
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.organization import Organization
from storage import organizations
from tests.hub.mllp import MAN, head, pid

from .conftest import Person

PASSWORD = "horse battery"
ORDERED = (pid("A1", resident=MAN), "ORC|CA|REQ77|||||||20261122080000|||D1^周医生", "OBR|1|REQ77||CBC^血常规^L")
CBC = "OBR|1|REQ77|LIS900|CBC^血常规^L|||20261122083000||||||||||||||||||F"
CULTURE = "OBR|1|REQ12|LIS12|CULT^细菌培养^L|||20261120090000||||||||||||||||||F"
SUSCEPTIBILITY = "OBR|2|REQ12|LIS12-1|SUSC^药敏^L|||20261120090000||||||||||||||||||F|ORG&鉴定&L^1|||^LIS12"
ORPHAN = SUSCEPTIBILITY.replace("LIS12-1|", "LIS13-1|").replace("^LIS12", "^LIS13")
WHITE_CELLS = "OBX|1|NM|6690-2^白细胞^LN||5.2|10*9/L||N|||F"
ORGANISM = "OBX|1|CE|ORG^鉴定^L|1|112283007^大肠埃希菌^SCT||||||F"
AMPICILLIN = "OBX|1|SN|AMP^氨苄西林^L||>=^32|ug/mL||R|||F"
POINTER = r"OBX|2|RP|PDF^报告单^L||\E\\E\server\E\a.pdf~javascript:alert(1)||||||F"


def send(hub: Hub, kind: str, *segments: str, facility: str = "DH02") -> None:
    """Sends a message, which must be taken."""
    content = "".join(f"{segment}\r" for segment in (head(kind, facility), *segments)).encode()
    with socket.create_connection(("127.0.0.1", hub.port("mllp")), timeout=20) as line:
        line.sendall(framed(content))
        assert b"MSA|AA|" in line.recv(65536)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that listens for browsers and for laboratories, to which a district has sent."""
    settings = Settings(data=tmp_path_factory.mktemp("hub"), http_port=0, mllp_port=0)
    with app.running(settings, {"web", "mllp"}) as made:
        with made.verbs.database.write() as tx:
            for code in ("CHC01", "DH02"):
                organizations.put_organization(tx, Organization(code, f"机构{code}", code))
                organizations.put_source(tx, code, code, code)
        for role in (Role.CLINICIAN, Role.ADMIN):
            made.verbs.access.put_account(Principal(role.value, role.value, role, "DH02"), PASSWORD)
        send(made, "ORM^O01", *ORDERED, facility="CHC01")
        send(made, "ORU^R01", pid("L77"), CBC, WHITE_CELLS, POINTER)
        send(made, "ORU^R01", pid("L77"), CULTURE, ORGANISM, SUSCEPTIBILITY, AMPICILLIN, ORPHAN, AMPICILLIN)
        send(made, "ORU^R01", pid("OLD1"), CBC.replace("REQ77|LIS900", "|F5"), WHITE_CELLS, facility="CHC01")
        send(made, "ADT^A40", pid("NEW1"), "MRG|OLD1", facility="CHC01")
        yield made


def visitor(hub: Hub, role: Role) -> Person:
    person = Person(httpx.Client(base_url=f"http://127.0.0.1:{hub.port('web')}", timeout=30))
    assert person.sign_in(role, PASSWORD).status_code == 303
    return person


@pytest.fixture
def clinician(hub: Hub) -> Iterator[Person]:
    person = visitor(hub, Role.CLINICIAN)
    yield person
    person.client.close()


@pytest.fixture
def admin(hub: Hub) -> Iterator[Person]:
    person = visitor(hub, Role.ADMIN)
    yield person
    person.client.close()


def test_a_result_is_shown_with_the_order_that_it_answers(clinician: Person) -> None:
    page = clinician.get("/reports/1").text
    for word in ("对应的申请单", "机构CHC01", "周医生", "申请已取消"):
        assert word in page


def test_a_pointer_is_words_and_nothing_to_click(clinician: Person) -> None:
    page = clinician.get("/reports/1").text
    assert r"\\server\a.pdf" in page
    assert "javascript:alert(1)" in page
    assert not re.search(r"(href|src)=\"(javascript|\\\\|file)", page)


def test_susceptibilities_stand_under_their_organism(clinician: Person) -> None:
    culture = clinician.get("/reports/2").text
    heading = culture.index('<h3>大肠埃希菌 · <a href="/reports/3">药敏</a>')
    assert heading < culture.index("氨苄西林") < culture.index("耐药")
    child = clinician.get("/reports/3").text
    assert re.search(r"<strong>大肠埃希菌</strong> <a href=\"/reports/2\">", child)
    assert "承接自：细菌培养" in child


def test_an_orphan_says_what_it_waits_for(clinician: Person) -> None:
    assert "尚未到达" in clinician.get("/reports/4").text


def test_the_timeline_puts_a_child_under_its_parent(clinician: Person) -> None:
    page = clinician.get("/patients/1").text
    lines = re.findall(r'<li (class="line-child")?>\s*<a class="line [^"]*" href="/reports/(\d)"', page)
    at = lines.index(("", "2"))
    assert lines[at + 1] == ('class="line-child"', "3")
    assert ("", "4") in lines


def test_a_merge_is_undone_on_its_page(admin: Person, hub: Hub) -> None:
    page = admin.get("/doubts/merges").text
    for word in ("OLD1", "NEW1", "机构CHC01", "已合并", "撤销合并"):
        assert word in page
    assert admin.send("/doubts/merges/1", reason="打电话问过窗口").status_code == 303
    page = admin.get("/doubts/merges").text
    assert "打电话问过窗口" in page
    assert "撤销合并" not in page
    assert admin.send("/doubts/merges/1").status_code == 409
    assert admin.send("/doubts/merges/99").status_code == 404


def test_a_clinician_has_no_business_with_merges(clinician: Person) -> None:
    assert clinician.get("/doubts/merges").status_code == 403
    assert clinician.send("/doubts/merges/1", reason="x").status_code == 403
