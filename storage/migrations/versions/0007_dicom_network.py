"""Whom we know on the DICOM network, what they asked us to vouch for, what modalities say of their work."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    _node()
    _commitment()
    _step()


def _key() -> "sa.Column[int]":
    return sa.Column("id", KEY, autoincrement=True, nullable=False)


def _node() -> None:
    op.create_table(
        "dicom_node",
        _key(),
        sa.Column("ae_title", EXACT, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ae_title", name="uq_dicom_node_ae_title"),
    )


def _commitment() -> None:
    op.create_table(
        "storage_commitment",
        _key(),
        sa.Column("transaction_uid", EXACT, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("ae_title", EXACT, nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source_id", "transaction_uid", name="uq_storage_commitment_source_id_transaction_uid"),
    )
    op.create_index("ix_storage_commitment_state", "storage_commitment", ["state", "next_attempt_at"], unique=False)


def _step() -> None:
    op.create_table(
        "procedure_step",
        _key(),
        sa.Column("sop_instance_uid", EXACT, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("study_instance_uid", EXACT, nullable=False),
        sa.Column("accession_number", EXACT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sop_instance_uid", name="uq_procedure_step_sop_instance_uid"),
    )
    for name in ("study_instance_uid", "accession_number"):
        op.create_index(f"ix_procedure_step_{name}", "procedure_step", [name], unique=False)
    op.create_table(
        "procedure_step_message",
        _key(),
        sa.Column("procedure_step_id", KEY, nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("transfer_syntax_uid", sa.String(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["procedure_step_id"], ["procedure_step.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    index = "ix_procedure_step_message_procedure_step_id"
    op.create_index(index, "procedure_step_message", ["procedure_step_id"], unique=False)
