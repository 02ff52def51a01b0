"""The composition root: the only module that knows every package."""

import contextlib
import datetime as dt
import os
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import structlog
from fastapi import FastAPI

from adapters import dicom, hl7v2
from adapters.contract import Listener
from adapters.fhir import rest_hook
from adapters.registry import DESCRIBERS, EDITORS, EXAMINERS, MEANINGS, READERS, REPAIRS, STRICT, sniff
from adapters.tls import client_context, server_context
from adapters.turns import Turns
from hub import portal
from hub.access import Access
from hub.advising import Advising
from hub.api import cds_hooks, deliveries, dicomweb, fhir, health, notices, outcomes, recognition, verdicts
from hub.archive import Archive, Commitments, Nodes
from hub.completeness import Completeness
from hub.curation import Curation, Unidentified
from hub.doors import in_clear, require_doors
from hub.examination import Examination
from hub.headers import Describing, Headers
from hub.ingest import Ingest, Repairs, Senders
from hub.ingest.reconcile import reconcile
from hub.metrics import count_delivery
from hub.notify import Notify, Outbound, release
from hub.offering import Documents, Filing, FilingThread, Offering
from hub.portal.fault_words import in_both_languages
from hub.portal.render import FONT
from hub.profiles import Profiles
from hub.query import Query
from hub.reading import Readings
from hub.recall import Hooks, Recall, Telling
from hub.recognition import Recognition
from hub.resolution import Resolution
from hub.retention import Retention
from hub.retrieve import Retrieve
from hub.retrieve.pixels import read_frame
from hub.settings import Settings
from hub.statistics import Statistics
from hub.stewardship import CatalogueDesk, QualityDesk
from hub.terminology import Terminology
from hub.verbs import Verbs
from hub.watching import Watched, Watching
from hub.web_server import WebServer
from hub.worker import Worker
from schemas.delivery import Delivery, Format, Receipt
from schemas.dispatch import Sender
from schemas.faults import Fault, Internal
from schemas.reach import networks
from storage import presence
from storage.database import Database
from storage.migrate import migrate
from storage.objects import Objects, objects_from_url

__all__ = [
    "DESCRIBERS",
    "EXAMINERS",
    "READERS",
    "STRICT",
    "Hub",
    "Stores",
    "Turns",
    "build",
    "open_stores",
    "running",
    "sniff",
]

log = structlog.get_logger()
VERSION = "0.1.0"
Counted = Callable[[Receipt, Delivery, float], None]
Doors = Mapping[str, socket.socket]


@dataclass
class Stores:
    """The durable state of a hub, migrated, and who may open it."""

    database: Database
    objects: Objects
    access: Access

    def close(self) -> None:
        """Finishes what is done better late, and lets the database go."""
        with contextlib.suppress(Fault):
            self.objects.close()
        self.database.close()


def open_stores(settings: Settings, *, create: bool = True) -> Stores:
    """Opens and migrates. Raises Internal where there is no hub and none should be made."""
    url = settings.database_url.get_secret_value()
    if url.startswith("sqlite:///") and not create and not Path(url.removeprefix("sqlite:///")).exists():
        raise Internal("there is no hub in this folder; `dxhub demo` or `dxhub serve` makes one", where="--data")
    _require_folder(settings.data)
    database = Database(url)
    migrate(database)
    objects = objects_from_url(settings.objects_url.get_secret_value())
    if restored := objects.recover():
        log.info("objects.restored", objects=restored)
    return Stores(database, objects, Access(database))


def _require_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise Internal(f"the folder {folder} cannot be made: {reason}", where="--data, DXHUB_DATA") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Internal(f"the folder {folder} cannot be written", where="--data, DXHUB_DATA")


def _dicom_tls(settings: Settings) -> ssl.SSLContext | None:
    certificate, key = settings.dicom_tls_certificate, settings.dicom_tls_key
    return server_context(certificate, key, settings.dicom_tls_client_ca) if certificate and key else None


def _mllp_tls(settings: Settings) -> ssl.SSLContext | None:
    certificate, key = settings.mllp_tls_certificate, settings.mllp_tls_key
    return server_context(certificate, key, settings.mllp_tls_client_ca) if certificate and key else None


@dataclass
class Hub:
    """A hub that runs: its verbs, its web application, and its listeners by part."""

    settings: Settings
    stores: Stores
    verbs: Verbs
    web: FastAPI
    listeners: dict[str, Listener] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def port(self, part: str) -> int:
        """The port on which `web`, `dicom` or `mllp` listens."""
        return self.ports[part]

    def greeting(self) -> str:
        """What a person who started the hub wants to read."""
        doors = {"web": "http://{}:{}/", "dicom": "DICOM {}:{}", "mllp": "HL7 v2 MLLP {}:{}"}
        lines = [doors[part].format(self.settings.host, self.port(part)) for part in doors if part in self.ports]
        return "dxhub is ready\n  " + "\n  ".join(lines)


def build(settings: Settings, stores: Stores, counted: Counted = count_delivery) -> Hub:
    """Composes a hub; nothing listens yet."""
    database, objects = stores.database, stores.objects
    senders = Senders(database)
    ingest = Ingest(database, objects, senders, READERS, sniff, meanings=MEANINGS, counted=counted)
    verbs = Verbs(
        access=stores.access,
        ingest=ingest,
        query=Query(database),
        retrieve=Retrieve(database, objects, _headers(stores)),
        recognition=Recognition(database),
        recall=Recall(database, allow_insecure=settings.allow_insecure, networks=networks(settings.hook_networks)),
        statistics=Statistics(database, dt.timedelta(days=settings.repeated_within_days)),
        advising=Advising(database),
        identity=Resolution(database),
        repairs=Repairs(database, objects, senders, ingest, sniff),
        examination=Examination(database, objects, READERS, sniff, EXAMINERS, EDITORS),
        offering=Offering(database, _documents(objects)),
        notify=Notify(database, allow_insecure=settings.allow_insecure),
        nodes=Nodes(database, allow_insecure=settings.allow_insecure),
        profiles=Profiles(
            database, objects, READERS, sniff, ingest.replay, repairs=REPAIRS, strict=STRICT, examiners=EXAMINERS
        ),
        terminology=Terminology(database),
        curation=Curation(database, objects),
        unidentified=Unidentified(database),
        readings=Readings(database),
        catalogue=CatalogueDesk(database),
        quality=QualityDesk(database),
        database=database,
        objects=objects,
    )
    return Hub(settings, stores, verbs, _web(settings, verbs))


def _web(settings: Settings, verbs: Verbs) -> FastAPI:
    app = FastAPI(
        title="dxhub",
        version=VERSION,
        description="A district's exchange of diagnostic reports: FHIR R4, DICOMweb, uploads, mutual recognition.",
        docs_url=None,
        redoc_url=None,
    )
    app.state.verbs = verbs
    app.state.settings = settings
    app.include_router(dicomweb.person_router)
    for part in (fhir, dicomweb, deliveries, recognition, verdicts, cds_hooks, notices, health, portal):
        app.include_router(part.router)
    dicomweb.mount(app)
    outcomes.install(app, page=portal.fault_page)
    portal.mount(app)
    return app


def _listeners(hub: Hub, parts: set[str], doors: Doors, turns: Turns | None) -> dict[str, Listener]:
    settings, ingest = hub.settings, hub.verbs.ingest
    made: dict[str, Listener] = {}
    if "web" in parts:
        made["web"] = WebServer(hub.web, settings.host, settings.http_port)
    if "dicom" in parts:
        made["dicom"] = dicom.listener(
            settings.host,
            settings.dicom_port,
            ingest.deliver,
            ingest.identify,
            together=ingest.deliver_together,
            ae_title=settings.dicom_ae_title,
            context=_dicom_tls(settings),
            services=_peers(hub),
            door=doors.get("dicom"),
            turns=turns,
        )
    if "mllp" in parts:
        made["mllp"] = hl7v2.listener(
            settings.host,
            settings.mllp_port,
            ingest.deliver,
            ingest.identify,
            max_bytes=settings.max_message_mb << 20,
            memory_bytes=settings.mllp_memory_mb << 20,
            context=_mllp_tls(settings),
            door=doors.get("mllp"),
            together=ingest.deliver_together,
        )
    if "watch" in parts and settings.watch:
        watched = Watched(
            settings.watch, settings.watch_source, settings.watch_quiet_s, settings.max_upload_mb * 1_000_000
        )
        made["watch"] = Watching(watched, ingest.deliver, ingest.identify, sniff, in_both_languages)
    if "worker" in parts:
        made["worker"] = Worker(hub.stores.database, hub.stores.objects, _completeness(hub), _retention(hub))
        made["headers"] = Describing(_headers(hub.stores))
        made["filing"] = FilingThread(
            Filing(hub.stores.database, hub.stores.objects, _documents(hub.stores.objects), READERS[Format.DICOM])
        )
        made["commitments"] = _commitments(hub)
        made["recall"] = _telling(hub)
        made["outbound"] = Outbound(hub.stores.database, hub.stores.objects, _sender(settings))
    return made


def _telling(hub: Hub) -> Telling:
    patience = dt.timedelta(hours=hub.settings.notice_patience_h)
    hooks = Hooks(hub.stores.database, rest_hook(_client(hub.settings), networks(hub.settings.hook_networks)))
    return Telling(hub.stores.database, patience, hooks)


def _completeness(hub: Hub) -> Completeness:
    quiet = dt.timedelta(seconds=hub.settings.study_quiet_s)
    return Completeness(hub.stores.database, quiet, _headers(hub.stores).ensure)


def _retention(hub: Hub) -> Retention:
    return Retention(hub.stores.database, hub.settings.image_retention_years)


def _headers(stores: Stores) -> Headers:
    return Headers(stores.database, stores.objects, DESCRIBERS[Format.DICOM])


def _documents(objects: Objects) -> Documents:
    return Documents(objects, dicom.REPORT_WRITER, FONT)


def _peers(hub: Hub) -> tuple[dicom.Service, ...]:
    """What peers on the DICOM network may ask for beside storing."""
    settings, stores = hub.settings, hub.stores
    archive = Archive(stores.database, stores.objects, read_frame)
    return dicom.services(archive, ae_title=settings.dicom_ae_title, context=_client(settings))


def _commitments(hub: Hub) -> Commitments:
    settings, stores = hub.settings, hub.stores
    courier = dicom.CommitmentCourier(settings.dicom_ae_title, _client(settings))
    return Commitments(stores.database, stores.objects, courier)


def _client(settings: Settings) -> ssl.SSLContext:
    return client_context(settings.tls_ca, settings.tls_certificate, settings.tls_key)


def _sender(settings: Settings) -> Sender:
    return hl7v2.sender(_client(settings))


def require_certificates(settings: Settings) -> None:
    """Raises Internal where a file that TLS needs cannot be used."""
    _dicom_tls(settings)
    _mllp_tls(settings)
    _sender(settings)


@contextmanager
def running(
    settings: Settings,
    parts: set[str],
    *,
    doors: Doors = MappingProxyType({}),
    turns: Turns | None = None,
    counted: Counted = count_delivery,
) -> Iterator[Hub]:
    """A hub that listens while the block runs, and finishes what it acknowledged when it ends.

    doors: sockets that listen already, by part; turns: whose it is to accept there, where it is several processes'.
    counted: told of every delivery.
    """
    require_doors(settings, parts - doors.keys())
    if bare := in_clear(settings, parts):
        log.warning("hub.listens_without_encryption", host=settings.host, doors=bare)
    stores = open_stores(settings)
    here = presence.enter(stores.database, settings.data)
    try:
        hub = build(settings, stores, counted)
        # Before those are removed for which no row stands.
        hub.verbs.ingest.recall()
        if here.alone:
            reconcile(stores.database, stores.objects)
            release(stores.database)
        here.share()
        try:
            _start(hub, parts, doors, turns)
            yield hub
        finally:
            _stop(hub)
    finally:
        here.close()
        stores.close()


def _start(hub: Hub, parts: set[str], doors: Doors, turns: Turns | None) -> None:
    for part, listener in _listeners(hub, parts, doors, turns).items():
        listener.start()
        hub.listeners[part] = listener
        hub.ports[part] = listener.port


def _stop(hub: Hub) -> None:
    for listener in reversed(hub.listeners.values()):
        listener.stop()
    hub.verbs.ingest.close()
