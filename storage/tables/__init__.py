"""The tables: narrow index rows with integer keys, documents as immutable bytes."""

from .columns import EPOCH, Instant, metadata
from .custody import audit, delivery, outbox, part
from .findings import decision, delivery_report, observation, report, report_version
from .images import instance, instance_metadata, series, study
from .parties import account, mapping, organization, setting, source, source_version, task, token
from .persons import doubt, link, patient, patient_identifier, patient_search_key, person, person_version

__all__ = [
    "EPOCH",
    "Instant",
    "account",
    "audit",
    "decision",
    "delivery",
    "delivery_report",
    "doubt",
    "instance",
    "instance_metadata",
    "link",
    "mapping",
    "metadata",
    "observation",
    "organization",
    "outbox",
    "part",
    "patient",
    "patient_identifier",
    "patient_search_key",
    "person",
    "person_version",
    "report",
    "report_version",
    "series",
    "setting",
    "source",
    "source_version",
    "study",
    "task",
    "token",
]
