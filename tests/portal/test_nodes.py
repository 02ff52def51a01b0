"""Who may query over DICOM and where images may go: as an administrator says it."""

from collections.abc import Iterator

import httpx
import pytest

from hub import app
from hub.app import Hub
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.network import Node, QueryRight
from schemas.organization import Organization, OrganizationKind
from storage import nodes, organizations

from .conftest import Person
from .test_whole_hub import PASSWORD, as_role


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    settings = Settings(data=tmp_path_factory.mktemp("hub"), http_port=0)
    with app.running(settings, {"web"}) as made:
        with made.verbs.database.write() as tx:
            organizations.put_organization(tx, Organization("DH1", "第一医院", "First", OrganizationKind.OTHER))
        for role in (Role.CLINICIAN, Role.ADMIN, Role.AUDITOR):
            made.verbs.access.put_account(Principal(role.value, role.value, role, "DH1"), PASSWORD)
        yield made


@pytest.fixture
def person(hub: Hub) -> Iterator[Person]:
    with httpx.Client(base_url=f"http://127.0.0.1:{hub.port('web')}", timeout=30) as client:
        yield Person(client)


def known(hub: Hub) -> list[Node]:
    with hub.verbs.database.read() as tx:
        return [each.node for each in nodes.nodes(tx)]


def test_a_system_is_added_changed_and_forgotten_and_each_step_is_audited(hub: Hub, person: Person) -> None:
    admin = as_role(person, Role.ADMIN)
    assert "尚无系统" in admin.get("/nodes").text
    said = {"ae_title": "PACS1", "organization": "DH1", "query": "district", "host": "10.1.2.3", "port": "11112"}
    refused = admin.send("/nodes/new", **said, may_move="on")
    assert refused.status_code == 400
    assert "影像离开本机必须加密" in refused.text
    assert known(hub) == []
    assert admin.send("/nodes/new", **said, may_move="on", tls="on").status_code == 303
    assert known(hub) == [Node("PACS1", "DH1", QueryRight.DISTRICT, "10.1.2.3", 11112, tls=True, may_move=True)]
    assert "此 AE 标题已登记" in admin.send("/nodes/new", **said, tls="on").text
    assert "10.1.2.3" in admin.get("/nodes").text
    assert admin.send("/nodes/1", ae_title="PACS1", organization="DH1", query="none", port="104").status_code == 303
    assert [(each.query, each.host) for each in known(hub)] == [(QueryRight.NONE, "")]
    assert admin.send("/nodes/1", decision="remove").status_code == 303
    assert known(hub) == []
    with hub.verbs.database.read() as tx:
        rows = tx.exec_driver_sql("select detail from audit where entity like 'DicomNode/%' order by id").all()
    assert [row[0] for row in rows] == [
        "PACS1 DH1 query district, 10.1.2.3:11112 tls",
        "PACS1 DH1 query none, no address",
        "removed PACS1",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ae_title": "A" * 17},
        {"ae_title": "\\"},
        {"ae_title": " "},
        {"organization": "NOBODY"},
        {"may_move": "on"},
        {"host": "a b"},
        {"host": "127.0.0.1", "port": "70000"},
    ],
)
def test_what_cannot_be_is_refused_in_the_form(hub: Hub, person: Person, wrong: dict[str, str]) -> None:
    said = {"ae_title": "PACS2", "organization": "DH1", "query": "own", "host": "", "port": "104"}
    assert as_role(person, Role.ADMIN).send("/nodes/new", **said | wrong).status_code == 400
    assert known(hub) == []


def test_nobody_else_sees_or_changes_it(hub: Hub, person: Person) -> None:
    clinician = as_role(person, Role.CLINICIAN)
    assert clinician.get("/nodes").status_code == 403
    assert clinician.send("/nodes/new", ae_title="MINE", organization="DH1", query="district").status_code == 403
    assert known(hub) == []
