"""Where reports are sent on to, what became of each, and the certificates by which senders prove themselves."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from .columns import Exact, Instant, Key, key_column, metadata, reference

# `lease_owner`: the process that sends there; nobody else does until `leased_until`, for order would be lost.
destination = Table(
    "destination",
    metadata,
    key_column(),
    reference("organization"),
    Column("active", Boolean, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("lease_owner", Exact, nullable=False, default=""),
    Column("leased_until", Instant),
    Index("ix_destination_organization_id", "organization_id"),
)

# `message`: the bytes, made once, so that every attempt sends the same; empty when none is to follow.
# `rejections`: answers that asked to come later.
dispatch = Table(
    "dispatch",
    metadata,
    key_column(),
    reference("destination"),
    Column("report_id", Key, nullable=False),
    Column("version", Integer, nullable=False),
    Column("control_id", Exact, nullable=False, unique=True),
    Column("message", LargeBinary, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("rejections", Integer, nullable=False, default=0),
    Column("created_at", Instant, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("code", String, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
    Column("decided_by", String, nullable=False, default=""),
    Column("reason", Text, nullable=False, default=""),
    ForeignKeyConstraint(["report_id", "version"], ["report_version.report_id", "report_version.version"]),
    UniqueConstraint("destination_id", "report_id", "version"),
    Index("ix_dispatch_destination_id_state", "destination_id", "state", "id"),
    Index("ix_dispatch_state", "state", "id"),
)

# `identity`: as schemas.delivery.Claim.certificate has it. Several of one source: a renewal needs both for a while.
sender_certificate = Table(
    "sender_certificate",
    metadata,
    reference("source"),
    Column("identity", Exact, nullable=False),
    UniqueConstraint("source_id", "identity"),
    Index("ix_sender_certificate_identity", "identity"),
)
