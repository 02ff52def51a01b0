"""Institutions, the systems that send for them and what their codes mean, accounts, and what the hub remembers."""

from sqlalchemy import Boolean, Column, Index, LargeBinary, String, Table, Text, UniqueConstraint

from .columns import Exact, Instant, key_column, metadata, reference

setting = Table("setting", metadata, Column("name", Exact, primary_key=True), Column("value", Text, nullable=False))

organization = Table(
    "organization",
    metadata,
    key_column(),
    Column("code", Exact, nullable=False, unique=True),
    Column("document", LargeBinary, nullable=False),
)

source = Table(
    "source",
    metadata,
    key_column(),
    Column("name", Exact, nullable=False, unique=True),
    reference("organization"),
    Column("authority", Exact, nullable=False),
    Column("charset", String, nullable=False, default=""),
    Column("time_zone", String, nullable=False),
    # The rest of the profile (schemas.organization.Profile): read as a whole, asked for by no query.
    Column("profile", LargeBinary),
)

# Every profile that a source has had. Append-only.
source_version = Table(
    "source_version",
    metadata,
    key_column(),
    reference("source"),
    Column("saved_at", Instant, nullable=False),
    Column("saved_by", Exact, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("ix_source_version_source_id", "source_id"),
)

# What codes and units as sent stand for. Append-only: the latest decision is in force, an empty concept takes it back.
mapping = Table(
    "mapping",
    metadata,
    key_column(),
    Column("kind", String, nullable=False),
    Column("system", Exact, nullable=False),
    Column("code", Exact, nullable=False),
    Column("concept_system", Exact, nullable=False),
    Column("concept_code", Exact, nullable=False),
    Column("concept_display", String, nullable=False),
    Column("decided_by", Exact, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("reason", String, nullable=False),
    Index("ix_mapping_sent", "kind", "system", "code"),
)

# Codes and units that results came under before anybody had mapped them.
task = Table(
    "task",
    metadata,
    key_column(),
    Column("kind", String, nullable=False),
    Column("system", Exact, nullable=False),
    Column("code", Exact, nullable=False),
    Column("display", String, nullable=False),
    reference("source"),
    Column("found_at", Instant, nullable=False),
    Column("state", String, nullable=False),
    Column("decided_by", Exact, nullable=False, default=""),
    Column("decided_at", Instant),
    Column("reason", String, nullable=False, default=""),
    UniqueConstraint("kind", "system", "code"),
    Index("ix_task_state", "state", "id"),
)

account = Table(
    "account",
    metadata,
    key_column(),
    Column("name", Exact, nullable=False, unique=True),
    Column("display", String, nullable=False),
    Column("role", String, nullable=False),
    reference("organization"),
    Column("password_hash", String, nullable=False),
    Column("language", String, nullable=False, default="zh"),
    Column("disabled", Boolean, nullable=False, default=False),
)

token = Table(
    "token",
    metadata,
    Column("digest", Exact, primary_key=True),  # the token itself is never stored
    reference("account"),
    Column("kind", String, nullable=False),
    Column("csrf", String, nullable=False, default=""),
    Column("expires_at", Instant, nullable=False),
)
