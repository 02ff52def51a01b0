"""Systems that are called when somebody must be told of a change."""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("after_notice", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "hook",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("subscription_id", KEY, nullable=False),
        sa.Column("notice_id", KEY, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscription.id"]),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subscription_id", "notice_id", name="uq_hook_subscription_id_notice_id"),
    )
    op.create_index("ix_hook_answered_at", "hook", ["answered_at", "next_attempt_at"], unique=False)
