"""The tables: narrow index rows with integer keys, documents as immutable bytes."""

from .catalogue import catalogue_item, quality_change, quality_record
from .columns import EPOCH, Instant, metadata
from .custody import NOT_INDEXED, OF_ACCOUNT, UNNOTICED, audit, delivery, outbox, part
from .derived import derived_instance, document_due
from .findings import OWN_CODE, decision, delivery_report, observation, report, report_version
from .headers import instance_header
from .image_life import (
    instance_version,
    rejection,
    removal,
    removed_object,
    study_announcement,
    study_change,
    study_quality,
)
from .images import UNREAD, instance, series, study
from .ledger import card, hook, notice, opening, showing, subscription
from .network import dicom_node, procedure_step, procedure_step_message, storage_commitment
from .orders import report_order, service_order, service_order_number
from .outbound import destination, dispatch, sender_certificate
from .parties import account, mapping, organization, setting, source, source_version, task, token
from .persons import doubt, link, merge, patient, patient_identifier, patient_search_key, person, person_version
from .readings import ecg_reading
from .relations import contest, report_alias, report_parent
from .repairs import repair

__all__ = [
    "EPOCH",
    "NOT_INDEXED",
    "OF_ACCOUNT",
    "OWN_CODE",
    "UNNOTICED",
    "UNREAD",
    "Instant",
    "account",
    "audit",
    "card",
    "catalogue_item",
    "contest",
    "decision",
    "delivery",
    "delivery_report",
    "derived_instance",
    "destination",
    "dicom_node",
    "dispatch",
    "document_due",
    "doubt",
    "ecg_reading",
    "hook",
    "instance",
    "instance_header",
    "instance_version",
    "link",
    "mapping",
    "merge",
    "metadata",
    "notice",
    "observation",
    "opening",
    "organization",
    "outbox",
    "part",
    "patient",
    "patient_identifier",
    "patient_search_key",
    "person",
    "person_version",
    "procedure_step",
    "procedure_step_message",
    "quality_change",
    "quality_record",
    "rejection",
    "removal",
    "removed_object",
    "repair",
    "report",
    "report_alias",
    "report_order",
    "report_parent",
    "report_version",
    "sender_certificate",
    "series",
    "service_order",
    "service_order_number",
    "setting",
    "showing",
    "source",
    "source_version",
    "storage_commitment",
    "study",
    "study_announcement",
    "study_change",
    "study_quality",
    "subscription",
    "task",
    "token",
]
