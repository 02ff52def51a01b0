"""A hub behind a socket: real stores, verbs and routers; deliveries are the small JSON documents of the kernel."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, BinaryIO

import httpx
from fastapi import FastAPI

from adapters.dicom import REPORT_WRITER
from hub.advising import Advising
from hub.api import deliveries, fhir, health, outcomes, recognition, verdicts
from hub.archive import Nodes
from hub.curation import Curation, Unidentified
from hub.ingest import Ingest
from hub.notify import Notify
from hub.offering import Documents, Offering
from hub.portal.render import FONT
from hub.profiles import Profiles
from hub.reading import Readings
from hub.recall import Recall
from hub.retrieve import Retrieve
from hub.statistics import Statistics
from hub.stewardship import CatalogueDesk, QualityDesk
from hub.terminology import Terminology
from hub.verbs import Verbs
from hub.web_server import WebServer
from schemas.delivery import Format, Origin, Reading
from schemas.disclosure import Principal, Role
from schemas.fhir import document
from schemas.fhir.elements import Resource
from schemas.reach import networks
from schemas.report import Attachment
from tests.engines import Engines
from tests.hub.kernel import ADMIN, AUDITOR, CLINICIAN, TECHNICIAN, Kernel, kernel, read

QUALITY = Principal("quality", "质控员", Role.QUALITY, "DH02")
ELSEWHERE = Principal("technician2", "孙技师", Role.TECHNICIAN, "CHC02")
PEOPLE = {each.account: each for each in (CLINICIAN, TECHNICIAN, ADMIN, AUDITOR, QUALITY, ELSEWHERE)}
MOST_MB = 2
# Region 990 does not exist: valid, and nobody's.
WANG = {"mr": "P1", "name": "王芳", "latin": "Wang Fang", "born": "1985-03-07", "sex": "female"}
LI = {"mr": "P2", "name": "欧阳娜娜", "born": "1990-01-01", "sex": "female"}
STUDY = "1.2.826.0.1.3680043.8.498.7"


def read_with_document(content: BinaryIO, origin: Origin) -> Reading:
    """The kernel's reader; `pdf` (base64) becomes a document of the report, and a hint says who the patient is."""
    text = content.read()
    content.seek(0)
    reading = read(content, origin)
    said = json.loads(text)
    if origin.hint and reading.reports:
        patient = origin.hint.patient
        reading = replace(reading, reports=tuple(replace(each, patient=patient) for each in reading.reports))
    if "pdf" not in said:
        return reading
    pdf = base64.b64decode(said["pdf"])
    attached = (Attachment.of(pdf, said.get("media_type", "application/pdf"), "检验报告"),)
    return replace(reading, reports=(replace(reading.reports[0], attachments=attached),), parts=(pdf,))


@dataclass
class Served:
    """The hub and its doors."""

    kernel: Kernel
    address: str
    port: int
    app: FastAPI

    _tokens: dict[str, str] = field(default_factory=dict)
    # One pool of connections for all: making one costs more than most questions.
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30, trust_env=False))

    def authorization(self, account: str) -> dict[str, str]:
        """The header of that account's program; none for nobody."""
        if account and account not in self._tokens:
            self._tokens[account] = self.kernel.access.issue_token(account)
        return {"Authorization": f"Bearer {self._tokens[account]}"} if account else {}

    def request(
        self,
        method: str,
        path: str,
        account: str = "clinician",
        headers: dict[str, str] | None = None,
        **content: Any,  # noqa: ANN401 whatever httpx takes
    ) -> httpx.Response:
        """One request of that account's program."""
        url = path if path.startswith("http") else f"{self.address}{path}"
        return self._http.request(method, url, headers=self.authorization(account) | (headers or {}), **content)

    def get(self, path: str, account: str = "clinician", **headers: str) -> httpx.Response:
        """One question below the FHIR service."""
        return self.request("GET", f"/fhir/R4/{path}", account, headers)

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def found(self, path: str, account: str = "clinician") -> Resource:
        """The document that answers a question which is answered."""
        response = self.get(path, account)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/fhir+json"
        return document.loads(response.content)


def seed(urls: Engines) -> None:
    """Two patients; a corrected blood count, another of another institution, a CT of two series, an ECG."""
    made = compose(urls)
    for person in PEOPLE.values():
        made.access.put_account(person, "unused in these tests")
    blood = WANG | {"key": "F1|CBC", "values": {"718-7": "98.10", "6690-2": "7.2"}}
    made.send(blood)
    made.send(blood | {"status": "corrected", "values": {"718-7": "99.10", "6690-2": "7.2"}})
    made.send(LI | {"key": "F2|CBC", "values": {"718-7": "130"}}, "CHC02")
    for number in (1, 2):
        images = {"study": STUDY, "series": f"{STUDY}.{number}", "sop": f"{STUDY}.{number}.1", "accession": "A7"}
        made.send(WANG | images | {"category": "imaging", "status": "partial"})
    ecg = WANG | {"key": "E1", "category": "ecg", "conclusion": "窦性心律", "pdf": "JVBERi0xLjQK"}
    made.send(ecg)
    made.ingest.close()
    made.database.close()


def compose(urls: Engines) -> Kernel:
    """The kernel, whose reader knows documents and hints."""
    made = kernel(urls)
    made.ingest.close()
    readers = {Format.HL7V2: read_with_document}
    made.ingest = Ingest(made.database, made.objects, made.senders, readers, lambda _: Format.HL7V2)
    return made


@contextmanager
def serve(urls: Engines) -> Iterator[Served]:
    """A hub, seeded before, that listens while the block runs."""
    made = compose(urls)
    app = _app(made)
    server = WebServer(app, "127.0.0.1", 0)
    server.start()
    served = Served(made, f"http://127.0.0.1:{server.port}", server.port, app)
    yield served
    served.close()
    server.stop()
    made.ingest.close()
    made.database.close()


def _app(made: Kernel) -> FastAPI:
    app = FastAPI()
    app.state.verbs = Verbs(
        access=made.access,
        ingest=made.ingest,
        query=made.query,
        retrieve=Retrieve(made.database, made.objects),
        recognition=made.recognition,
        recall=Recall(made.database, networks=networks("127.0.0.1")),
        statistics=Statistics(made.database),
        advising=Advising(made.database),
        identity=made.identity,
        repairs=made.repairs,
        examination=made.examination,
        notify=Notify(made.database),
        nodes=Nodes(made.database),
        offering=Offering(made.database, Documents(made.objects, REPORT_WRITER, FONT)),
        profiles=Profiles(made.database, made.objects, {}, lambda _: Format.HL7V2, made.ingest.replay),
        terminology=Terminology(made.database),
        curation=Curation(made.database, made.objects),
        unidentified=Unidentified(made.database),
        readings=Readings(made.database),
        catalogue=CatalogueDesk(made.database),
        quality=QualityDesk(made.database),
        database=made.database,
        objects=made.objects,
    )
    app.state.settings = SimpleNamespace(max_upload_mb=MOST_MB)
    for part in (fhir, deliveries, recognition, verdicts, health):
        app.include_router(part.router)
    outcomes.install(app)
    return app
