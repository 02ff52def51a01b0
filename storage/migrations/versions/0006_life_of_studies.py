"""Instances that are hidden, studies that are complete, and what people do about studies afterwards."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
ARRIVING = sa.text("completed_at IS NULL")


def upgrade() -> None:
    _instance()
    _study()
    _rejection()
    _instance_version()
    _study_change()
    _study_announcement()
    _study_quality()
    _removal()


def _key() -> "sa.Column[int]":
    return sa.Column("id", KEY, autoincrement=True, nullable=False)


def _instance() -> None:
    for name in ("hidden", "hidden_by"):
        op.add_column("instance", sa.Column(name, sa.String(), nullable=False, server_default=""))


def _study() -> None:
    # What has been here before this version came a while ago.
    op.add_column("study", sa.Column("last_arrival_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("study", sa.Column("completed_at", sa.BigInteger(), nullable=True))
    op.add_column("study", sa.Column("completions", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE study SET last_arrival_at = received_at, completed_at = received_at, completions = 1")
    op.create_index(
        "ix_study_arriving", "study", ["id"], unique=False, sqlite_where=ARRIVING, postgresql_where=ARRIVING
    )


def _rejection() -> None:
    op.create_table(
        "rejection",
        _key(),
        sa.Column("study_instance_uid", EXACT, nullable=False),
        sa.Column("sop_instance_uid", EXACT, nullable=False),
        sa.Column("note_instance_uid", EXACT, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("rejected_at", sa.BigInteger(), nullable=False),
        sa.Column("undone_by", EXACT, nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "sop_instance_uid", "note_instance_uid", name=op.f("uq_rejection_sop_instance_uid_note_instance_uid")
        ),
    )
    for column in ("study_instance_uid", "note_instance_uid"):
        op.create_index(f"ix_rejection_{column}", "rejection", [column], unique=False)


def _instance_version() -> None:
    op.create_table(
        "instance_version",
        _key(),
        sa.Column("instance_id", KEY, nullable=False),
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("digest", EXACT, nullable=False),
        sa.Column("data_set_digest", EXACT, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("replaced_at", sa.BigInteger(), nullable=False),
        sa.Column("replaced_by", EXACT, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"]),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("instance_id", "digest"):
        op.create_index(f"ix_instance_version_{column}", "instance_version", [column], unique=False)


def _study_change() -> None:
    op.create_table(
        "study_change",
        _key(),
        sa.Column("study_id", KEY, nullable=False),
        sa.Column("from_patient_id", KEY, nullable=False),
        sa.Column("to_patient_id", KEY, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account", EXACT, nullable=False),
        sa.Column("organization", EXACT, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"]),
        sa.ForeignKeyConstraint(["from_patient_id"], ["patient.id"]),
        sa.ForeignKeyConstraint(["to_patient_id"], ["patient.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_study_change_study_id", "study_change", ["study_id"], unique=False)


def _study_announcement() -> None:
    op.create_table(
        "study_announcement",
        _key(),
        sa.Column("study_instance_uid", EXACT, nullable=False),
        sa.Column("announced_by", EXACT, nullable=False),
        sa.Column("announced_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "study_instance_uid", "announced_by", name=op.f("uq_study_announcement_study_instance_uid_announced_by")
        ),
    )


def _study_quality() -> None:
    op.create_table(
        "study_quality",
        _key(),
        sa.Column("study_id", KEY, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account", EXACT, nullable=False),
        sa.Column("organization", EXACT, nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_study_quality_study_id", "study_quality", ["study_id", "id"], unique=False)


def _removal() -> None:
    op.create_table(
        "removal",
        _key(),
        sa.Column("study_id", KEY, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("account", EXACT, nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_removal_study_id", "removal", ["study_id"], unique=False)
    op.create_index("ix_removal_state", "removal", ["state", "id"], unique=False)
    op.create_table(
        "removed_object",
        sa.Column("digest", EXACT, nullable=False),
        sa.Column("removal_id", KEY, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["removal_id"], ["removal.id"]),
        sa.PrimaryKeyConstraint("digest"),
    )
