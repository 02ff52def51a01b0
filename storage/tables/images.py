"""Studies, series and instances."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, text

from .columns import Exact, Instant, key_column, metadata, reference

# Studies of which more may still come: a handful at any moment, so that whoever looks for them reads a handful.
ARRIVING = text("completed_at IS NULL")
# Those that nobody has read yet: a reading list looks at them alone, however many were read before.
UNREAD = text("read_at IS NULL")

_LISTED = ("observed_at", "id", "modalities", "organization_id")

# `series_count`, `instance_count`, `modalities`: of what is not hidden. `last_arrival_at`: our clock.
# `read_at`: when we learnt of a final reading of its images; empty while they wait for one.
# `completions`: how often the study has been found complete; `completed_at` is empty while more may come.
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
    Column("last_arrival_at", Instant, nullable=False),
    Column("completed_at", Instant),
    Column("completions", Integer, nullable=False, default=0),
    Column("read_at", Instant),
    Index("ix_study_patient_id", "patient_id"),
    Index("ix_study_arriving", "id", sqlite_where=ARRIVING, postgresql_where=ARRIVING),
    # What a list narrows by stands behind its order: it turns pages without a look at the rows that it leaves out.
    Index("ix_study_observed_at", *_LISTED),
    Index("ix_study_unread", *_LISTED, sqlite_where=UNREAD, postgresql_where=UNREAD),
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

# `hidden`: empty for what everybody sees, else the code why not (schemas.study.Hidden); `hidden_by`: what hid it, as a
# FHIR-like reference (`Delivery/12`, `Removal/3`).
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
    Column("hidden", String, nullable=False, default=""),
    Column("hidden_by", String, nullable=False, default=""),
    Index("ix_instance_series_id", "series_id"),
)
