"""Which delivery is a repaired copy of which."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "repair",
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("original_id", KEY, nullable=False),
        sa.Column("account", EXACT, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"]),
        sa.ForeignKeyConstraint(["original_id"], ["delivery.id"]),
        sa.PrimaryKeyConstraint("delivery_id"),
    )
    op.create_index("ix_repair_original_id", "repair", ["original_id"], unique=False)
