"""A hub without adapters: real stores, real verbs, and a reader whose deliveries are small JSON documents."""

import datetime as dt
import io
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, BinaryIO

from hub.access import Access, disclosure_for
from hub.examination import Examination
from hub.ingest import Ingest, Repairs, Senders
from hub.query import Query
from hub.recognition import Recognition
from hub.resolution import Resolution
from hub.retrieve import Retrieve
from schemas.codes import Coding
from schemas.delivery import Accounting, Channel, Claim, Delivery, Format, Origin, Reading, Receipt
from schemas.disclosure import Disclosure, Principal, Role
from schemas.ecg import EcgRecording
from schemas.editing import Editor
from schemas.faults import InvalidPayload
from schemas.identifiers import RESIDENT_ID, Identifier, authority_system
from schemas.observation import Observation, Quantity
from schemas.organization import Organization, OrganizationKind
from schemas.patient import Patient, PersonName, Sex
from schemas.report import Report, ReportCategory, ReportStatus
from schemas.study import Instance, Series, Study
from storage import organizations
from storage.database import Database
from storage.objects import Objects, objects_from_url
from tests.engines import Engines

CLINICIAN = Principal("clinician", "林医生", Role.CLINICIAN, "DH02")
TECHNICIAN = Principal("technician", "赵技师", Role.TECHNICIAN, "CHC01")
ADMIN = Principal("admin", "管理员", Role.ADMIN, "DH02")
AUDITOR = Principal("auditor", "审计员", Role.AUDITOR, "BUREAU")
OBSERVED = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)


def _patient(said: dict[str, Any], authority: str) -> Patient:
    identifiers = [Identifier(authority_system(authority), said["mr"])]
    if number := said.get("resident"):
        identifiers.append(Identifier(RESIDENT_ID, number))
    born = said.get("born")
    return Patient(
        tuple(identifiers),
        PersonName(said.get("name", "王芳"), said.get("latin", "")),
        dt.date.fromisoformat(born) if born else None,
        Sex(said.get("sex", "unknown")),
        tuple(said.get("deleted", ())),
    )


def _instance(said: dict[str, Any], patient: Patient) -> Instance:
    return Instance(
        study=Study(said["study"], patient, "20261120", "093000", said.get("accession", "A1")),
        series=Series(said.get("series", said["study"] + ".1"), "CT", 1),
        sop_instance_uid=said["sop"],
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        data_set_digest=said.get("pixels", said["sop"]),
        data_set_offset=132,
        instance_number=1,
    )


def read(content: BinaryIO, origin: Origin) -> Reading:
    """The reader of the JSON documents: one report each, and an instance where they name one."""
    text = content.read()
    if text == b"bug":
        raise RuntimeError("a bug of the reader")
    try:
        said = json.loads(text)
    except ValueError as error:
        raise InvalidPayload("expected JSON", where="byte 0") from error
    patient = _patient(said, said.get("authority", origin.source.authority))
    if said.get("adt"):
        return Reading(patients=(patient,), update=True, accounting=Accounting(1, 1))
    category = ReportCategory(said.get("category", "laboratory"))
    report = Report(
        key=said.get("study") or said.get("key", "F1"),
        category=category,
        status=ReportStatus(said.get("status", "final")),
        code=Coding("58410-2", "血常规", "http://loinc.org"),
        patient=patient,
        organization=origin.source.organization,
        observed_at=OBSERVED,
        issued_at=dt.datetime.fromisoformat(said["issued"]) if "issued" in said else None,
        sent_at=dt.datetime.fromisoformat(said["sent_at"]) if "sent_at" in said else None,
        placer_order_number=said.get("placer", ""),
        findings=said.get("findings", ""),
        accession_number=said.get("accession", ""),
        requesters=tuple(said.get("requesters", ())),
        study_instance_uid=said.get("study", ""),
        conclusion=said.get("conclusion", ""),
        observations=tuple(
            Observation(
                Coding(code, code, "http://loinc.org"),
                Quantity(Decimal(value), "g/L"),
                sub_id=said.get("sub_id", ""),
                status=said.get("statuses", {}).get(code, "final"),
            )
            for code, value in said.get("values", {}).items()
        ),
    )
    instances = (_instance(said, patient),) if "sop" in said else ()
    recordings: tuple[tuple[str, EcgRecording], ...] = ()
    return Reading((report,), instances=instances, recordings=recordings, accounting=Accounting(3, 2, 1, 0))


def _sniff(_: bytes) -> Format:
    return Format.HL7V2


def _show(content: bytes, _: Origin) -> str:
    return content.decode()


def _write(_: bytes, __: Origin, text: str) -> bytes:
    return text.encode()


@dataclass
class Kernel:
    """What the tests of the verbs work with."""

    database: Database
    objects: Objects
    access: Access
    senders: Senders
    ingest: Ingest
    query: Query
    recognition: Recognition
    retrieve: Retrieve
    identity: Resolution
    repairs: Repairs
    examination: Examination

    def send(self, said: dict[str, Any] | bytes, source: str = "CHC01") -> Receipt:
        """Delivers a document as that source, by MLLP."""
        content = said if isinstance(said, bytes) else json.dumps(said, ensure_ascii=False).encode()
        origin = self.senders.identify(Claim(Channel.MLLP, source, "127.0.0.1"))
        return self.ingest.deliver(Delivery(origin, Format.HL7V2, io.BytesIO(content), "M1"))

    def ask(self, principal: Principal = CLINICIAN) -> Disclosure:
        return disclosure_for(principal, "127.0.0.1")


def _seed(database: Database) -> None:
    with database.write() as tx:
        for code, kind in (
            ("CHC01", OrganizationKind.COMMUNITY_CENTRE),
            ("CHC02", OrganizationKind.COMMUNITY_CENTRE),
            ("DH02", OrganizationKind.DISTRICT_HOSPITAL),
            ("BUREAU", OrganizationKind.BUREAU),
        ):
            organizations.put_organization(tx, Organization(code, code, kind=kind))
            organizations.put_source(tx, code, code, code)


def kernel(urls: Engines) -> Kernel:
    """A seeded hub on these stores."""
    database, objects = Database(urls.database_url), objects_from_url(urls.objects_url)
    _seed(database)
    senders = Senders(database)
    readers, editors = {Format.HL7V2: read}, {Format.HL7V2: Editor(_show, _write)}
    ingest = Ingest(database, objects, senders, readers, _sniff)
    return Kernel(
        database,
        objects,
        Access(database),
        senders,
        ingest,
        Query(database),
        Recognition(database),
        Retrieve(database, objects),
        Resolution(database),
        Repairs(database, objects, senders, ingest, _sniff),
        Examination(database, objects, readers, _sniff, {}, editors),
    )


def other(principal: Principal, organization: str) -> Principal:
    """The same role at another institution."""
    return replace(principal, organization=organization, account=f"{principal.account}-{organization}")
