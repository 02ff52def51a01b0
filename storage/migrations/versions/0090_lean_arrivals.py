"""Indexes of what is asked for alone: an arrival that is indexed and waits for nobody is in fewer of them."""

import sqlalchemy as sa
from alembic import op

revision = "0090"
down_revision = "0080"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.drop_index("ix_delivery_digest", "delivery")
    waits = sa.text("state <> 'indexed'")
    _partial("delivery", "ix_delivery_waiting", ["state", "id"], waits)
    _partial("audit", "ix_audit_account", ["account"], sa.text("account <> ''"))
    _partial("audit", "ix_audit_patient_id", ["patient_id"], sa.text("patient_id IS NOT NULL"))
    if op.get_bind().dialect.name == "sqlite":
        _without_row_ids()


def _partial(table: str, name: str, columns: list[str], where: sa.TextClause) -> None:
    op.drop_index(name, table)
    op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)


def _without_row_ids() -> None:
    op.drop_index("ix_delivery_report_report_id", "delivery_report")
    op.rename_table("delivery_report", "delivery_report_with_row_ids")
    op.create_table(
        "delivery_report",
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("report_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"]),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.PrimaryKeyConstraint("delivery_id", "report_id"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO delivery_report (delivery_id, report_id) "
        "SELECT delivery_id, report_id FROM delivery_report_with_row_ids ORDER BY delivery_id, report_id"
    )
    op.drop_table("delivery_report_with_row_ids")
    op.create_index("ix_delivery_report_report_id", "delivery_report", ["report_id"], unique=False)
