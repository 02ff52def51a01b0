"""Headers of instances are made after their acknowledgement, with the places of their frames."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "instance_header",
        sa.Column("instance_id", KEY, nullable=False),
        sa.Column("digest", EXACT, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("frames", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"]),
        sa.PrimaryKeyConstraint("instance_id"),
    )
    # The worker makes them again, from the instances themselves.
    op.drop_table("instance_metadata")
