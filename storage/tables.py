"""The tables: narrow index rows with integer keys, documents as immutable bytes.

Times are integers, microseconds since 1970-01-01 UTC: both databases order, index and return them alike.
"""

import datetime as dt

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class Instant(TypeDecorator[dt.datetime]):
    """An aware datetime kept as microseconds since the epoch; given back in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else EPOCH + value * _MICROSECOND


# SQLite numbers rows by itself only where the key is INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")
# Bytewise order, so that a prefix is a range of an index on both databases.
Exact = String().with_variant(String(collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)


def _key() -> "Column[int]":
    return Column("id", Key, primary_key=True, autoincrement=True)


def _reference(table: str, *, name: str = "", nullable: bool = False) -> "Column[int]":
    return Column(name or f"{table}_id", Key, ForeignKey(f"{table}.id"), nullable=nullable)


setting = Table("setting", metadata, Column("name", Exact, primary_key=True), Column("value", Text, nullable=False))

organization = Table(
    "organization",
    metadata,
    _key(),
    Column("code", Exact, nullable=False, unique=True),
    Column("document", LargeBinary, nullable=False),
)

source = Table(
    "source",
    metadata,
    _key(),
    Column("name", Exact, nullable=False, unique=True),
    _reference("organization"),
    Column("authority", Exact, nullable=False),
    Column("charset", String, nullable=False, default=""),
    Column("time_zone", String, nullable=False),
)

account = Table(
    "account",
    metadata,
    _key(),
    Column("name", Exact, nullable=False, unique=True),
    Column("display", String, nullable=False),
    Column("role", String, nullable=False),
    _reference("organization"),
    Column("password_hash", String, nullable=False),
    Column("language", String, nullable=False, default="zh"),
    Column("disabled", Boolean, nullable=False, default=False),
)

token = Table(
    "token",
    metadata,
    Column("digest", Exact, primary_key=True),  # the token itself is never stored
    _reference("account"),
    Column("kind", String, nullable=False),
    Column("csrf", String, nullable=False, default=""),
    Column("expires_at", Instant, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    _key(),
    _reference("source"),
    # Digest of the content, or of content and hint together where somebody told the patient beside it.
    Column("fingerprint", Exact, nullable=False),
    Column("digest", Exact, nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("format", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("message_id", String, nullable=False, default=""),
    Column("address", String, nullable=False, default=""),
    Column("account", String, nullable=False, default=""),
    Column("received_at", Instant, nullable=False, index=True),
    Column("state", String, nullable=False),
    Column("category", String, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
    Column("place", String, nullable=False, default=""),
    Column("hint", LargeBinary),
    Column("accounting", LargeBinary),
    UniqueConstraint("source_id", "fingerprint"),
    Index("ix_delivery_waiting", "state", "id"),
)

# Objects made from a delivery: attachments and canonical waveforms.
part = Table(
    "part",
    metadata,
    _reference("delivery"),
    Column("digest", Exact, nullable=False),
    Column("size", BigInteger, nullable=False),
    UniqueConstraint("delivery_id", "digest"),
)

person = Table(
    "person",
    metadata,
    _key(),
    Column("version", Integer, nullable=False),
)

person_version = Table(
    "person_version",
    metadata,
    Column("person_id", Key, ForeignKey("person.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("recorded_at", Instant, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

# A patient as one assigning authority knows them; which person that is may change, and change back.
patient = Table(
    "patient",
    metadata,
    _key(),
    _reference("person"),
    Column("system", Exact, nullable=False),
    Column("value", Exact, nullable=False),
    Column("birth_date", Date, index=True),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("system", "value"),
    Index("ix_patient_person_id", "person_id"),
)

patient_identifier = Table(
    "patient_identifier",
    metadata,
    Column("patient_id", Key, ForeignKey("patient.id"), primary_key=True),
    Column("system", Exact, primary_key=True),
    Column("value", Exact, primary_key=True),
    Index("ix_patient_identifier_value_system", "value", "system"),
)

# What a person may type to find a patient: the name, the given name, pinyin, its initials.
patient_search_key = Table(
    "patient_search_key",
    metadata,
    Column("search_key", Exact, primary_key=True),
    Column("patient_id", Key, ForeignKey("patient.id"), primary_key=True),
    Index("ix_patient_search_key_patient_id", "patient_id"),
)

doubt = Table(
    "doubt",
    metadata,
    _key(),
    _reference("patient"),
    _reference("patient", name="other_patient_id"),
    Column("reason", String, nullable=False),
    Column("state", String, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("decided_by", String, nullable=False, default=""),
    Column("decided_at", Instant),
    UniqueConstraint("patient_id", "other_patient_id", "reason"),
    Index("ix_doubt_state", "state", "id"),
    Index("ix_doubt_other_patient_id", "other_patient_id"),
)

# Every change of the person that a patient belongs to, so that a link can be undone.
link = Table(
    "link",
    metadata,
    _key(),
    _reference("patient"),
    _reference("person", name="from_person_id", nullable=True),
    _reference("person", name="to_person_id"),
    Column("reason", String, nullable=False),
    Column("decided_by", String, nullable=False, default=""),
    Column("linked_at", Instant, nullable=False),
)

report = Table(
    "report",
    metadata,
    _key(),
    _reference("patient"),
    _reference("organization"),
    Column("category", String, nullable=False),
    Column("key", Exact, nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("code", Exact, nullable=False),
    Column("observed_at", Instant, nullable=False),
    Column("placer_order_number", Exact, nullable=False, default=""),
    Column("filler_order_number", Exact, nullable=False, default=""),
    Column("accession_number", Exact, nullable=False, default=""),
    Column("study_instance_uid", Exact, nullable=False, default=""),
    UniqueConstraint("organization_id", "category", "key"),
    Index("ix_report_patient_id_observed_at", "patient_id", "observed_at"),
    Index("ix_report_observed_at", "observed_at"),
    Index("ix_report_filler_order_number", "filler_order_number"),
    Index("ix_report_placer_order_number", "placer_order_number"),
    Index("ix_report_accession_number", "accession_number"),
    Index("ix_report_study_instance_uid", "study_instance_uid"),
)

report_version = Table(
    "report_version",
    metadata,
    Column("report_id", Key, ForeignKey("report.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    _reference("delivery"),
    Column("observed_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("ix_report_version_delivery_id", "delivery_id"),
)

delivery_report = Table(
    "delivery_report",
    metadata,
    Column("delivery_id", Key, ForeignKey("delivery.id"), primary_key=True),
    Column("report_id", Key, ForeignKey("report.id"), primary_key=True),
    Index("ix_delivery_report_report_id", "report_id"),
)

# `version`: the last version of the report that has this observation; it is current where that is the report's own.
# `slot`: tells apart results that a message repeats under the same code and sub-id.
observation = Table(
    "observation",
    metadata,
    _key(),
    _reference("report"),
    _reference("patient"),
    Column("code", Exact, nullable=False),
    Column("code_system", Exact, nullable=False),
    Column("sub_id", Exact, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("observed_at", Instant, nullable=False),
    UniqueConstraint("report_id", "code", "code_system", "sub_id", "slot"),
    Index("ix_observation_patient_id_code_observed_at", "patient_id", "code", "observed_at"),
)

study = Table(
    "study",
    metadata,
    _key(),
    Column("study_instance_uid", Exact, nullable=False, unique=True),
    _reference("patient"),
    _reference("organization"),
    _reference("report"),
    Column("patient_identifier", Exact, nullable=False, index=True),
    Column("patient_name", String, nullable=False, default=""),
    Column("accession_number", Exact, nullable=False, index=True),
    Column("study_date", Exact, nullable=False, index=True),
    Column("description", String, nullable=False, default=""),
    Column("modalities", String, nullable=False, default=""),  # `CT\\SR`, as in (0008,0061)
    Column("series_count", Integer, nullable=False),
    Column("instance_count", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("observed_at", Instant, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("ix_study_patient_id", "patient_id"),
)

series = Table(
    "series",
    metadata,
    _key(),
    Column("series_instance_uid", Exact, nullable=False, unique=True),
    _reference("study"),
    Column("instance_count", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("ix_series_study_id", "study_id"),
)

instance = Table(
    "instance",
    metadata,
    _key(),
    Column("sop_instance_uid", Exact, nullable=False, unique=True),
    _reference("series"),
    _reference("delivery"),
    Column("sop_class_uid", String, nullable=False),
    Column("transfer_syntax_uid", String, nullable=False),
    Column("digest", Exact, nullable=False),
    Column("data_set_digest", Exact, nullable=False),
    Column("data_set_offset", Integer, nullable=False),
    Column("instance_number", BigInteger),
    Column("rows", Integer, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    Index("ix_instance_series_id", "series_id"),
)

instance_metadata = Table(
    "instance_metadata",
    metadata,
    Column("instance_id", Key, ForeignKey("instance.id"), primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

decision = Table(
    "decision",
    metadata,
    _key(),
    Column("report_id", Key, ForeignKey("report.id"), nullable=False),
    Column("version", Integer, nullable=False),
    _reference("patient"),
    _reference("organization"),
    Column("account", Exact, nullable=False),
    Column("verdict", String, nullable=False),
    Column("reason", String, nullable=False, default=""),
    Column("decided_at", Instant, nullable=False, index=True),
    Column("document", LargeBinary, nullable=False),
    Index("ix_decision_report_id_version", "report_id", "version"),
    Index("ix_decision_patient_id", "patient_id"),
)

outbox = Table(
    "outbox",
    metadata,
    _key(),
    Column("topic", String, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("done_at", Instant),
    Index("ix_outbox_done_at", "done_at", "id"),
)

# Append-only: triggers refuse UPDATE and DELETE; each row's hash covers the row and the hash before it.
audit = Table(
    "audit",
    metadata,
    _key(),
    Column("at", Instant, nullable=False),
    Column("action", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("account", Exact, nullable=False),
    Column("role", String, nullable=False),
    Column("organization", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("address", String, nullable=False),
    Column("entity", String, nullable=False),
    Column("patient_id", Key),
    Column("detail", String, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_audit_patient_id", "patient_id"),
    Index("ix_audit_account", "account"),
)
