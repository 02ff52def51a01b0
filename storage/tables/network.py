"""The DICOM network: whom we know there, what they asked us to vouch for, what modalities say of their work."""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from .columns import Exact, Instant, key_column, metadata, reference

dicom_node = Table(
    "dicom_node",
    metadata,
    key_column(),
    Column("ae_title", Exact, nullable=False, unique=True),
    reference("organization"),
    Column("document", LargeBinary, nullable=False),
)

# `ae_title`: as the requester called itself, to whom the answer goes. `content`: the references as JSON.
# `outcome`: what was found, as JSON; made once, so that every attempt tells the same.
storage_commitment = Table(
    "storage_commitment",
    metadata,
    key_column(),
    Column("transaction_uid", Exact, nullable=False),
    reference("source"),
    Column("ae_title", Exact, nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("outcome", LargeBinary),
    UniqueConstraint("source_id", "transaction_uid"),
    Index("ix_storage_commitment_state", "state", "next_attempt_at"),
)

# `content`: the SOP Instance UIDs that the step says it made, as JSON.
procedure_step = Table(
    "procedure_step",
    metadata,
    key_column(),
    Column("sop_instance_uid", Exact, nullable=False, unique=True),
    reference("source"),
    Column("study_instance_uid", Exact, nullable=False, index=True),
    Column("accession_number", Exact, nullable=False, index=True),
    Column("state", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

# Data sets of N-CREATE and N-SET as they were received. Append-only.
procedure_step_message = Table(
    "procedure_step_message",
    metadata,
    key_column(),
    reference("procedure_step"),
    Column("command", String, nullable=False),
    Column("transfer_syntax_uid", String, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("ix_procedure_step_message_procedure_step_id", "procedure_step_id"),
)
