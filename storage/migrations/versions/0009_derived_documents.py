"""Final reports of a study as DICOM documents in it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "document_due",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("report_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "derived_instance",
        sa.Column("report_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("instance_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"]),
        sa.PrimaryKeyConstraint("report_id", "version", "instance_id"),
        sa.UniqueConstraint("instance_id"),
    )
    # What is final already gets its documents too.
    op.execute(
        "INSERT INTO document_due (report_id) SELECT report.id FROM report"
        " JOIN study ON study.study_instance_uid = report.study_instance_uid"
        " WHERE report.status IN ('final', 'amended', 'corrected')"
    )
