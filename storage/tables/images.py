"""Studies, series and instances."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from .columns import Exact, Instant, Key, key_column, metadata, reference

study = Table(
    "study",
    metadata,
    key_column(),
    Column("study_instance_uid", Exact, nullable=False, unique=True),
    reference("patient"),
    reference("organization"),
    reference("report"),
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
    key_column(),
    Column("series_instance_uid", Exact, nullable=False, unique=True),
    reference("study"),
    Column("instance_count", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("ix_series_study_id", "study_id"),
)

instance = Table(
    "instance",
    metadata,
    key_column(),
    Column("sop_instance_uid", Exact, nullable=False, unique=True),
    reference("series"),
    reference("delivery"),
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
