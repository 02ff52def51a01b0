"""Where reports are sent on to, what became of each, and the certificates by which senders prove themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    _destination()
    _dispatch()
    op.create_table(
        "sender_certificate",
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("identity", EXACT, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"]),
        sa.UniqueConstraint("source_id", "identity", name=op.f("uq_sender_certificate_source_id_identity")),
    )
    op.create_index("ix_sender_certificate_identity", "sender_certificate", ["identity"], unique=False)


def _destination() -> None:
    op.create_table(
        "destination",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("lease_owner", EXACT, nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_destination_organization_id", "destination", ["organization_id"], unique=False)


def _dispatch() -> None:
    op.create_table(
        "dispatch",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("destination_id", KEY, nullable=False),
        sa.Column("report_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("control_id", EXACT, nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("rejections", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["destination_id"], ["destination.id"]),
        sa.ForeignKeyConstraint(["report_id", "version"], ["report_version.report_id", "report_version.version"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("control_id", name=op.f("uq_dispatch_control_id")),
        sa.UniqueConstraint(
            "destination_id", "report_id", "version", name=op.f("uq_dispatch_destination_id_report_id_version")
        ),
    )
    op.create_index("ix_dispatch_destination_id_state", "dispatch", ["destination_id", "state", "id"], unique=False)
    op.create_index("ix_dispatch_state", "dispatch", ["state", "id"], unique=False)
