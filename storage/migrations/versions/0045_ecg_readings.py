"""The reading of ECGs. Those that came before wait as abnormal: nobody has judged how pressing they are."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0060"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "ecg_reading",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("report_id", KEY, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("later", sa.Integer(), nullable=False),
        sa.Column("claimed_by", EXACT, nullable=False),
        sa.Column("claimed_name", sa.String(), nullable=False),
        sa.Column("claimed_organization", EXACT, nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("report_id", name="uq_ecg_reading_report_id"),
    )
    op.create_index("ix_ecg_reading_state", "ecg_reading", ["state", "rank", "since"], unique=False)
    op.execute(
        "INSERT INTO ecg_reading "
        "(report_id, state, rank, since, later, claimed_by, claimed_name, claimed_organization) "
        "SELECT id, CASE WHEN status IN ('preliminary', 'partial', 'registered') THEN 'unconfirmed' "
        "WHEN status = 'final' THEN 'confirmed' WHEN status IN ('amended', 'corrected') THEN 'amended' "
        "ELSE 'withdrawn' END, 2, observed_at, 0, '', '', '' FROM report WHERE category = 'ecg'"
    )
