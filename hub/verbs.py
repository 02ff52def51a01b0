"""The verbs, composed: what the routers of both edges are given."""

from dataclasses import dataclass

from hub.access import Access
from hub.advising import Advising
from hub.archive import Nodes
from hub.curation import Curation, Unidentified
from hub.examination import Examination
from hub.ingest import Ingest, Repairs
from hub.notify import Notify
from hub.offering import Offering
from hub.profiles import Profiles
from hub.query import Query
from hub.reading import Readings
from hub.recall import Recall
from hub.recognition import Recognition
from hub.resolution import Resolution
from hub.retrieve import Retrieve
from hub.statistics import Statistics
from hub.stewardship import CatalogueDesk, QualityDesk
from hub.terminology import Terminology
from schemas.faults import Fault
from storage.database import Database
from storage.objects import Objects


@dataclass(frozen=True)
class Verbs:
    """Everything that a router may call; it holds no rule and no row."""

    access: Access
    ingest: Ingest
    query: Query
    retrieve: Retrieve
    recognition: Recognition
    recall: Recall
    statistics: Statistics
    advising: Advising
    identity: Resolution
    repairs: Repairs
    examination: Examination
    notify: Notify
    nodes: Nodes
    offering: Offering
    profiles: Profiles
    terminology: Terminology
    curation: Curation
    unidentified: Unidentified
    readings: Readings
    catalogue: CatalogueDesk
    quality: QualityDesk
    database: Database
    objects: Objects

    def ready(self) -> dict[str, str]:
        """`ok`, or the category of the fault, for each store."""
        return {"database": _state(self.database), "objects": _state(self.objects)}


def _state(store: Database | Objects) -> str:
    try:
        store.ready()
    except Fault as fault:
        return fault.category.value
    return "ok"
