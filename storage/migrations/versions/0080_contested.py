"""Reports of which a held delivery says that they are somebody else's."""

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0045"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "contest",
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("report_id", KEY, nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"]),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.PrimaryKeyConstraint("delivery_id", "report_id"),
    )
    op.create_index("ix_contest_report_id", "contest", ["report_id"], unique=False)
