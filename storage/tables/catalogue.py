"""What institutions recognise from one another, and what quality assessment said of it. Append-only, all of it."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from .columns import Exact, Instant, key_column, metadata, reference

# Every state that an item of the catalogue has had; the highest version is in force.
catalogue_item = Table(
    "catalogue_item",
    metadata,
    key_column(),
    Column("code", Exact, nullable=False),
    Column("version", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("changed_by", Exact, nullable=False),  # empty for what we ship
    Column("reason", String, nullable=False),
    Column("retired", Boolean, nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("code", "version"),
)

# One saving of quality records: a sheet, or an edit. Whoever keeps records in memory asks which of these are new.
quality_change = Table(
    "quality_change",
    metadata,
    key_column(),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Exact, nullable=False),
    Column("reason", String, nullable=False),
)

# Every state that a record has had: the same (organization, item, method, since) is the same record, and its highest
# version is in force.
quality_record = Table(
    "quality_record",
    metadata,
    key_column(),
    reference("quality_change"),
    Column("organization", Exact, nullable=False),
    Column("item", Exact, nullable=False),
    Column("method", Exact, nullable=False),
    Column("since", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("standing", String, nullable=False),
    Column("until", Date, nullable=False),
    Column("scope", String, nullable=False),
    Column("scheme", String, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    UniqueConstraint("organization", "item", "method", "since", "version"),
    Index("ix_quality_record_change", "quality_change_id"),
)
