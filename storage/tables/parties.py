"""Institutions, the systems that send for them, accounts, and what the hub remembers of itself."""

from sqlalchemy import Boolean, Column, LargeBinary, String, Table, Text

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
