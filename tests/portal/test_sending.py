"""Where results go, what was refused and why, and what senders must prove: as an administrator meets it."""

from collections.abc import Iterator

import httpx
import pytest

from adapters.hl7v2.sender import MllpSender, Patience
from adapters.tls import client_context
from hub import app
from hub.access import disclosure_for
from hub.app import Hub
from hub.notify import Outbound, Pace
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.dispatch import DispatchState
from schemas.organization import Organization, OrganizationKind
from storage import organizations
from tests.hub.kernel import ADMIN
from tests.receiving import acknowledgement, eventually, receiving

from .conftest import Person
from .test_whole_hub import PASSWORD, RESULT, as_role, upload

ORDERED = RESULT.replace("OBR|1|O{message}|F1|", "OBR|1|O{message}^DH1|F1|")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    settings = Settings(data=tmp_path_factory.mktemp("hub"), http_port=0)
    with app.running(settings, {"web"}) as made:
        with made.verbs.database.write() as tx:
            for code in ("CHC01", "DH1"):
                organizations.put_organization(tx, Organization(code, f"机构{code}", code, OrganizationKind.OTHER))
                organizations.put_source(tx, code, code, code)
        for role in (Role.TECHNICIAN, Role.CLINICIAN, Role.ADMIN):
            code = "CHC01" if role is Role.TECHNICIAN else "DH1"
            made.verbs.access.put_account(Principal(role.value, role.value, role, code), PASSWORD)
        yield made


@pytest.fixture
def person(hub: Hub) -> Iterator[Person]:
    with httpx.Client(base_url=f"http://127.0.0.1:{hub.port('web')}", timeout=30) as client:
        yield Person(client)


def said(port: int, **more: str) -> dict[str, str]:
    fields = {"organization": "DH1", "name": "医院 HIS", "host": "127.0.0.1", "port": str(port), "active": "on"}
    return fields | {"charset": "GB 18030-2000", "receiving_facility": "DH1"} | more


def test_a_refused_result_is_seen_with_its_reason_sent_again_and_given_up(hub: Hub, person: Person) -> None:
    with receiving() as receiver:
        receiver.answer = lambda message: acknowledgement(message, "AE", "102^姓名过长")
        admin = as_role(person, Role.ADMIN)
        assert "尚无目的地" in admin.get("/destinations").text
        assert admin.send("/destinations/new", **said(receiver.port)).status_code == 303
        assert "医院 HIS" in admin.get("/destinations").text
        upload(
            as_role(person, Role.TECHNICIAN), "血常规.hl7", ORDERED.format(message="1", value="96", status="F").encode()
        )
        stores = hub.stores
        sender = MllpSender(client_context(), Patience(2, 2))
        outbound = Outbound(stores.database, stores.objects, sender, Pace(tick_s=0.02))
        outbound.start()
        receiver.wait(1)
        notify, ask = hub.verbs.notify, disclosure_for(ADMIN)
        eventually(lambda: notify.dispatches(ask, state=DispatchState.DEAD).total == 1)
        assert "王芳".encode("gb18030") in receiver.received[0]
        admin = as_role(person, Role.ADMIN)
        page = admin.get("/dispatches").text
        assert "姓名过长" in page
        assert "AE" in page
        assert "王芳" not in page  # an administrator does not treat
        number = notify.dispatches(ask).items[0].id
        refused = admin.send(f"/dispatches/{number}", decision="give-up", reason="")
        assert "应填写原因" in refused.text
        assert admin.send(f"/dispatches/{number}", decision="retry").status_code == 303
        assert receiver.wait(2)[0] == receiver.received[1]
        eventually(lambda: notify.dispatches(ask, state=DispatchState.DEAD).total == 1)
        outbound.stop()
    assert admin.send(f"/dispatches/{number}", decision="give-up", reason="已电话告知").status_code == 303
    assert "已电话告知" in admin.get("/dispatches?state=given-up").text
    assert admin.send(f"/dispatches/{number}", decision="retry").status_code == 200
    assert admin.send("/dispatches/999", decision="retry").status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("host", "10.1.2.3", "必须加密"),
        ("host", "<script>", "主机名或地址"),
        ("port", "99999999", "端口应在"),
        ("name", " ", "目的地名称"),
    ],
)
def test_a_wrong_destination_is_told_and_what_was_typed_stays(
    person: Person, field: str, value: str, words: str
) -> None:
    admin = as_role(person, Role.ADMIN)
    page = admin.send("/destinations/new", **(said(2575, receiving_application="<b>HIS</b>") | {field: value}))
    assert page.status_code == 400
    assert words in page.text
    assert "&lt;b&gt;HIS&lt;/b&gt;" in page.text


def test_a_destination_is_changed_and_switched_off(person: Person) -> None:
    admin = as_role(person, Role.ADMIN)
    assert admin.send("/destinations/new", **said(2576, name="检验结果平台", tls="on")).status_code == 303
    listed = admin.get("/destinations").text
    number = listed.split("检验结果平台")[0].rsplit("/destinations/", 1)[1].split('"')[0]
    fields = said(2577, name="检验结果平台")
    del fields["active"]
    assert admin.send(f"/destinations/{number}", **fields).status_code == 303
    page = admin.get(f"/destinations/{number}").text
    assert 'value="2577"' in page
    assert "已停用" in admin.get("/destinations").text
    assert admin.get("/destinations/999").status_code == 404
    assert admin.send("/destinations/999", **fields).status_code == 404


def test_a_sender_is_bound_to_its_certificate(hub: Hub, person: Person) -> None:
    admin = as_role(person, Role.ADMIN)
    assert "CHC01" in admin.get("/certificates").text
    wrong = admin.send("/certificates", source="CHC01", identities="chc01")
    assert wrong.status_code == 400
    assert "cn:、dns:" in wrong.text
    assert admin.send("/certificates", source="CHC01", identities="dns:lis.chc01.example\r\n").status_code == 303
    assert "dns:lis.chc01.example" in admin.get("/certificates").text
    admin.send("/certificates", source="CHC01", identities="")
    assert hub.verbs.notify.certificates(disclosure_for(ADMIN))["CHC01"] == ()


def test_nobody_else_sees_or_changes_where_results_go(person: Person) -> None:
    clinician = as_role(person, Role.CLINICIAN)
    for path in ("/destinations", "/destinations/new", "/dispatches", "/certificates"):
        assert clinician.get(path).status_code == 403
    assert clinician.send("/destinations/new", **said(2575)).status_code == 403
    assert "/destinations" not in clinician.get("/help").text
