"""A whole hub with a laboratory that writes its own codes, and the people who look after it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub import app
from hub.app import Hub
from hub.settings import Settings
from schemas.delivery import Channel, Claim, Delivery, Format, Receipt
from schemas.disclosure import Principal, Role
from schemas.organization import Organization, OrganizationKind
from storage import organizations

PASSWORD = "horse battery staple"
PEOPLE = {Role.ADMIN: "DH1", Role.CLINICIAN: "DH1", Role.LAB_REVIEWER: "DH1", Role.TECHNICIAN: "CHC01"}


def result(
    number: int, *, code: str = "1001^白细胞", value: str = "7.2", sender: str = "CHC01", pid: str = "", at: str = ""
) -> bytes:
    """A blood count of one result."""
    patient = pid or f"PID|1||P{number % 3}^^^{sender}^MR||王^芳||19680412|F"
    when = at or f"202611{1 + number % 20:02d}0815"
    text = (
        f"MSH|^~\\&|LIS|{sender}|HUB|DX|20261121083000||ORU^R01|M{number}|P|2.5.1||||||UNICODE UTF-8\r"
        f"{patient}\r"
        f"OBR|1||F{sender}{number:05d}|CBC^血常规|||{when}|||||||||||||||20261121083000||LAB|F\r"
        f"OBX|1|NM|{code}||{value}|10*9/L|3.5-9.5|N|||F\r"
    )
    return text.encode()


def send(hub: Hub, content: bytes, sender: str = "CHC01") -> Receipt:
    """Delivers a message as that sender."""
    origin = hub.verbs.ingest.identify(Claim(Channel.MLLP, sender, "127.0.0.1"))
    return hub.verbs.ingest.deliver(Delivery(origin, Format.HL7V2, _opened(content), "M"))


def _opened(content: bytes) -> io.BytesIO:
    return io.BytesIO(content)


@contextmanager
def mapping_hub(data: Path) -> Iterator[Hub]:
    """The hub, listening for browsers."""
    with app.running(Settings(data=data, http_port=0), {"web"}) as hub:
        with hub.verbs.database.write() as tx:
            for code, kind in (
                ("CHC01", OrganizationKind.COMMUNITY_CENTRE),
                ("CHC02", OrganizationKind.COMMUNITY_CENTRE),
                ("DH1", OrganizationKind.DISTRICT_HOSPITAL),
            ):
                organizations.put_organization(tx, Organization(code, f"机构{code}", code, kind))
                organizations.put_source(tx, code, code, code)
        for role, organization in PEOPLE.items():
            hub.verbs.access.put_account(Principal(role.value, f"{role.value}先生", role, organization), PASSWORD)
        yield hub
