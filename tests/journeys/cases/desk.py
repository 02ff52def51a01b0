"""A hub with real doors, and who uses it: a sender, a clinician's program, a clinician and an administrator."""

import contextlib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hub import app
from hub.access import Access
from hub.ingest.senders import TAKES_STRANGERS, UNREGISTERED
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.organization import Organization, OrganizationKind
from storage import organizations
from storage.database import Database
from tests.engines import Engines
from tests.journeys.cases import paper
from tests.journeys.messages import Mllp

PASSWORD = "correct horse battery staple"
FACILITIES = ("CHC01", "CHC02", "DH01")
Resource = dict[str, Any]


@dataclass(frozen=True)
class Ack:
    """An acknowledgement. code: MSA-1; control_id: MSA-2; place: ERR-2 as `PID-3`; where, text: ERR-7 and ERR-8."""

    raw: str
    code: str
    control_id: str
    delivery: str
    place: str = ""
    where: str = ""
    text: str = ""


def acknowledgement(content: bytes) -> Ack:
    """What a frame that came back says, whatever separator and character set it is in."""
    codec = {b"\0M": "utf-16-be", b"M\0": "utf-16-le"}.get(content[:2], "utf-8")
    raw = content.decode(codec, "replace")
    segments = {line[:3]: line.split(raw[3]) + [""] * 12 for line in raw.splitlines() if line}
    msa, err, msh = segments["MSA"], segments.get("ERR", [""] * 12), segments["MSH"]
    segment, _, field = [*err[2].split("^"), "", ""][:3]
    place = f"{segment}-{field}" if field else segment
    return Ack(raw, msa[1], msa[2], msh[9].lstrip(msa[1]), place, err[7], err[8].replace("\\S\\", "^"))


@dataclass
class Desk:
    """A running hub. Tests share it: each sends patients and orders of its own."""

    mllp: int
    programs: dict[Role, httpx.Client]
    browsers: dict[Role, httpx.Client]
    # Results that came with the last search, until they are looked at.
    _included: dict[str, Resource] = field(default_factory=dict)

    def send(self, *messages: bytes) -> list[Ack]:
        """Each in a frame of its own on one connection; every answer that came to it."""
        return [ack for each in messages for ack in self.stream(b"\x0b" + each + b"\x1c\r", 1)]

    def take(self, message: bytes) -> Ack:
        """Sends a message that must be taken."""
        (ack,) = self.send(message)
        assert ack.code == "AA", ack.raw
        return ack

    def refuse(self, message: bytes) -> Ack:
        """Sends a message that must not be taken."""
        (ack,) = self.send(message)
        assert ack.code in ("AE", "AR"), ack.raw
        return ack

    def stream(self, content: bytes, answers: int) -> list[Ack]:
        """Sends bytes as they are; so many acknowledgements, and none after them until the hub closes the line."""
        with contextlib.closing(Mllp(self.mllp)) as line:
            line.socket.sendall(content)
            line.socket.shutdown(socket.SHUT_WR)
            came = b""
            while part := line.socket.recv(1 << 16):
                came += part
        found = [acknowledgement(each[1:]) for each in came.split(b"\x1c\r") if each]
        assert len(found) == answers, came
        return found

    def ask(self, path: str, role: Role = Role.CLINICIAN) -> Resource:
        """A question below the FHIR service that must be answered."""
        answer = self.programs[role].get(f"/fhir/R4/{path}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def all(self, path: str) -> list[Resource]:
        """Everything that a search finds, page by page."""
        found: list[Resource] = []
        self._included.clear()
        page = self.ask(path)
        while True:
            for each in page.get("entry", ()):
                mode, resource = each["search"]["mode"], each["resource"]
                assert mode in ("match", "include"), page
                if mode == "match":
                    found.append(resource)
                else:
                    self._included[resource["id"]] = resource
            following = next((link["url"] for link in page.get("link", ()) if link["relation"] == "next"), "")
            if not following:
                return found
            page = self.ask(following.partition("/fhir/R4/")[2])

    def reports(self, number: str) -> list[Resource]:
        """The reports under an order number."""
        found = self.all(f"DiagnosticReport?identifier={number}&_include=DiagnosticReport:result")
        return sorted(found, key=lambda each: int(each["id"]))

    def report(self, number: str) -> Resource:
        """The one report under an order number."""
        (found,) = self.reports(number)
        return found

    def of_delivery(self, *deliveries: str) -> list[Resource]:
        """The reports that an administrator sees these deliveries have become, in the order of their making."""
        pages = [self.browse(f"/quarantine/{each}", Role.ADMIN) for each in deliveries]
        told = {key for page in pages for key in page.partition("\n报告\n")[2].partition("\n")[0].split(", ") if key}
        found = self.all(f"DiagnosticReport?_id={','.join(told)}&_include=DiagnosticReport:result") if told else []
        return sorted(found, key=lambda each: int(each["id"]))

    def deliveries(self) -> set[str]:
        """The newest deliveries, as an administrator sees them listed."""
        listed = self.browsers[Role.ADMIN].get("/quarantine", params={"state": "all"}).text
        return set(re.findall(r'href="/quarantine/(\d+)"', listed))

    def results(self, report: Resource) -> list[Resource]:
        """The results of a report, in its order."""
        keys = [each["reference"].rpartition("/")[2] for each in report.get("result", ())]
        if not self._included.keys() >= set(keys):
            self._included = {each["id"]: each for each in self.all(f"Observation?_id={','.join(keys)}&_count=500")}
        return [self._included.pop(key) for key in keys]

    def said(self, number: str) -> list[tuple[str, str]]:
        """Code and value of every result of the one report under an order number."""
        return [(code_of(each), value_of(each)) for each in self.results(self.report(number))]

    def history(self, report: Resource) -> list[str]:
        """The status of every version, the first one first."""
        entries = self.ask(f"DiagnosticReport/{report['id']}/_history")["entry"]
        return [each["resource"]["status"] for each in reversed(entries)]

    def patients(self, number: str) -> list[Resource]:
        """Who is known under a number, whoever gave it out."""
        return self.all(f"Patient?identifier={number}")

    def page(self, report: Resource, part: str = "") -> str:
        """What a clinician reads on the report's page, or on one below it."""
        return self.browse(f"/reports/{report['id']}{part}", Role.CLINICIAN)

    def browse_version(self, report: Resource, version: int) -> str:
        """What a clinician reads of an earlier version."""
        return self.page(report, f"?version={version}")

    def waiting(self, control_id: str) -> str:
        """What an administrator reads of the one delivery that waits under this message id."""
        listed = self.browsers[Role.ADMIN].get("/quarantine", params={"state": "all", "q": control_id}).text
        (address,) = set(re.findall(r'href="(/quarantine/\d+)"', listed))
        return self.browse(address, Role.ADMIN)

    def browse(self, path: str, role: Role) -> str:
        """A page that must open, as a person reads it."""
        answer = self.browsers[role].get(path)
        assert answer.status_code == 200, answer.text
        return paper.read(answer.text)


def code_of(observation: Resource) -> str:
    """The first code of a result."""
    coding = observation["code"].get("coding", [{}])[0]
    return str(coding.get("code") or observation["code"].get("text", ""))


def value_of(observation: Resource) -> str:
    """The value of a result in one line of its own: number and unit, words, a time; a dash for none."""
    if quantity := observation.get("valueQuantity"):
        return _quantity(quantity)
    if ratio := observation.get("valueRatio"):
        return f"{_quantity(ratio['numerator'])}:{_quantity(ratio['denominator'])}"
    if span := observation.get("valueRange"):
        return f"{_quantity(span['low'])} - {_quantity(span['high'])}"
    if concept := observation.get("valueCodeableConcept"):
        return str(concept.get("text") or concept["coding"][0].get("display") or concept["coding"][0]["code"])
    for name in ("valueString", "valueDateTime", "valueTime"):
        if name in observation:
            return str(observation[name])
    return "—"


def _quantity(quantity: Resource) -> str:
    return f"{quantity.get('comparator', '')}{quantity['value']} {quantity.get('unit', '')}".strip()


def seed(urls: Engines) -> None:
    """Three institutions that send, and one that is called after nobody; strangers on this machine are taken."""
    database = Database(urls.database_url)
    with database.write() as tx:
        for code in (*FACILITIES, UNREGISTERED):
            organizations.put_organization(tx, Organization(code, code, kind=OrganizationKind.OTHER))
            organizations.put_source(tx, code, code, code)
        organizations.put_setting(tx, TAKES_STRANGERS, "yes")
    access = Access(database)
    for role in (Role.CLINICIAN, Role.ADMIN):
        access.put_account(Principal(role.value, role.value, role, "DH01"), PASSWORD)
    database.close()


@contextlib.contextmanager
def open_desk(urls: Engines, folder: Path) -> Iterator[Desk]:
    """A hub on these stores, seeded before, that listens while the block runs."""
    settings = Settings(
        data=folder, database_url=urls.database_url, objects_url=urls.objects_url, http_port=0, mllp_port=0
    )
    with app.running(settings, {"web", "mllp"}) as hub, contextlib.ExitStack() as clients:
        address, access = f"http://127.0.0.1:{hub.port('web')}", hub.verbs.access
        programs, browsers = {}, {}
        for role in (Role.CLINICIAN, Role.ADMIN):
            header = {"Authorization": f"Bearer {access.issue_token(role.value)}"}
            cookie = {"dxhub_session": access.sign_in(role.value, PASSWORD, "127.0.0.1").token}
            programs[role] = clients.enter_context(httpx.Client(base_url=address, headers=header, timeout=30))
            browsers[role] = clients.enter_context(httpx.Client(base_url=address, cookies=cookie, timeout=30))
        yield Desk(hub.port("mllp"), programs, browsers)
