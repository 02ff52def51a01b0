"""Cards of CDS Hooks that were shown, until somebody says what became of them."""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0071"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "card",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("uuid", EXACT, nullable=False),
        sa.Column("account", EXACT, nullable=False),
        sa.Column("organization", EXACT, nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uuid", name="uq_card_uuid"),
    )
