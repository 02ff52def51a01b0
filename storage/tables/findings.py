"""Reports, their versions, their single results, and the decisions that rest on them."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint, text

from .columns import Exact, Instant, Key, key_column, metadata, reference

report = Table(
    "report",
    metadata,
    key_column(),
    reference("patient"),
    reference("organization"),
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
    reference("delivery"),
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
    sqlite_with_rowid=False,
)

# Results under a source's own code: those that wait for a mapping, or are found through one.
OWN_CODE = text("code_system <> 'http://loinc.org'")

# `version`: the last version of the report that has this observation; it is current where that is the report's own.
# `slot`: tells apart results that a message repeats under the same code and sub-id.
observation = Table(
    "observation",
    metadata,
    key_column(),
    reference("report"),
    reference("patient"),
    Column("code", Exact, nullable=False),
    Column("code_system", Exact, nullable=False),
    Column("sub_id", Exact, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("observed_at", Instant, nullable=False),
    UniqueConstraint("report_id", "code", "code_system", "sub_id", "slot"),
    Index("ix_observation_patient_id_code_observed_at", "patient_id", "code", "observed_at"),
    # Partial: whoever sends LOINC pays nothing for it.
    Index("ix_observation_own_code", "code_system", "code", sqlite_where=OWN_CODE, postgresql_where=OWN_CODE),
)

decision = Table(
    "decision",
    metadata,
    key_column(),
    Column("report_id", Key, ForeignKey("report.id"), nullable=False),
    Column("version", Integer, nullable=False),
    reference("patient"),
    reference("organization"),
    Column("account", Exact, nullable=False),
    Column("verdict", String, nullable=False),
    Column("reason", String, nullable=False, default=""),
    # Of the catalogue, and what the hub had advised: as the ledger knew them when it was decided.
    Column("item", Exact, nullable=False, default=""),
    Column("advice", String, nullable=False, default=""),
    Column("decided_at", Instant, nullable=False, index=True),
    Column("document", LargeBinary, nullable=False),
    Index("ix_decision_report_id_version", "report_id", "version"),
    Index("ix_decision_patient_id", "patient_id"),
)
