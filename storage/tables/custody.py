"""What was taken, what was made from it, what others must be told of it, and the trail of all that was done."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)

from .columns import Exact, Instant, Key, key_column, metadata, reference

delivery = Table(
    "delivery",
    metadata,
    key_column(),
    reference("source"),
    # Digest of the content, or of content and hint together where somebody told the patient beside it.
    Column("fingerprint", Exact, nullable=False),
    Column("digest", Exact, nullable=False),
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
)

# Few are not indexed, and wait for a person: an index of those alone costs the others, of which there are millions,
# nothing. A database takes it where a query says the very same; so with those on the audit trail below.
NOT_INDEXED = delivery.c.state != literal_column("'indexed'")
Index("ix_delivery_waiting", delivery.c.state, delivery.c.id, sqlite_where=NOT_INDEXED, postgresql_where=NOT_INDEXED)

# Objects made from a delivery: attachments and canonical waveforms.
part = Table(
    "part",
    metadata,
    reference("delivery"),
    Column("digest", Exact, nullable=False),
    Column("size", BigInteger, nullable=False),
    UniqueConstraint("delivery_id", "digest"),
)

# What may have changed something that somebody relied on.
RECALLING = (
    "report.changed",
    "report.withdrawn",
    "study.rejected",
    "study.replaced",
    "study.graded",
    "quality.changed",
    "identity.changed",
)
UNNOTICED = text(f"noticed_at IS NULL AND topic IN ({', '.join(repr(topic) for topic in RECALLING)})")

outbox = Table(
    "outbox",
    metadata,
    key_column(),
    Column("topic", String, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("done_at", Instant),
    # For those alone who relied on what an entry speaks of; partial, so that what is new costs nothing.
    Column("noticed_at", Instant),
    Index("ix_outbox_done_at", "done_at", "id"),
    Index("ix_outbox_unnoticed", "id", sqlite_where=UNNOTICED, postgresql_where=UNNOTICED),
)

# Append-only: triggers refuse UPDATE and DELETE; each row's hash covers the row and the hash before it.
audit = Table(
    "audit",
    metadata,
    key_column(),
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
)

# An arrival names no patient, and a machine has no account.
OF_PATIENT, OF_ACCOUNT = audit.c.patient_id.is_not(None), audit.c.account != literal_column("''")
Index("ix_audit_patient_id", audit.c.patient_id, sqlite_where=OF_PATIENT, postgresql_where=OF_PATIENT)
Index("ix_audit_account", audit.c.account, sqlite_where=OF_ACCOUNT, postgresql_where=OF_ACCOUNT)
