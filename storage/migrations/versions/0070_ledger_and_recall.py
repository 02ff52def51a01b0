"""Who opened and was shown what, and who must be told that it changed."""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0050"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
UNNOTICED = sa.text(
    "noticed_at IS NULL AND topic IN ('report.changed', 'report.withdrawn', 'study.rejected', 'study.replaced',"
    " 'study.graded', 'quality.changed', 'identity.changed')"
)
APPEND_ONLY = ("opening", "showing")


def upgrade() -> None:
    op.add_column("decision", sa.Column("item", EXACT, nullable=False, server_default=""))
    op.add_column("decision", sa.Column("advice", sa.String(), nullable=False, server_default=""))
    op.add_column("outbox", sa.Column("noticed_at", sa.BigInteger(), nullable=True))
    # What changed before there were notices is past telling.
    op.execute("UPDATE outbox SET noticed_at = created_at")
    op.create_index(
        "ix_outbox_unnoticed", "outbox", ["id"], unique=False, sqlite_where=UNNOTICED, postgresql_where=UNNOTICED
    )
    op.create_table(
        "opening",
        *_whose(),
        sa.Column("account", EXACT, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint(
            *("report_id", "version", "organization_id", "account", "day"),
            name="uq_opening_report_id_version_organization_id_account_day",
        ),
    )
    op.create_index("ix_opening_opened_at", "opening", ["opened_at"])
    op.create_table(
        "showing",
        *_whose(),
        sa.Column("account", EXACT, nullable=False),
        sa.Column("item", EXACT, nullable=False),
        sa.Column("advice", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("order_number", EXACT, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint(
            *("report_id", "version", "organization_id", "account", "item", "order_number", "advice", "day"),
            name="uq_showing_once",
        ),
    )
    op.create_index("ix_showing_shown_at", "showing", ["shown_at"])
    op.create_table(
        "notice",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reliance", sa.String(), nullable=False),
        sa.Column("seen_version", sa.Integer(), nullable=False),
        *_whose(),
        sa.Column("account", EXACT, nullable=False),
        sa.Column("cause_id", KEY, nullable=False),
        sa.Column("outbox_id", KEY, nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", EXACT, nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("escalated_at", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"]),
        sa.UniqueConstraint(
            *("outbox_id", "report_id", "organization_id", "account"),
            name="uq_notice_outbox_id_report_id_organization_id_account",
        ),
    )
    op.create_index("ix_notice_report_id", "notice", ["report_id"])
    op.create_index(
        "ix_notice_organization_id_acknowledged_at", "notice", ["organization_id", "acknowledged_at"], unique=False
    )
    for table in APPEND_ONLY:
        _forbid_change(table)


def _whose() -> "list[sa.schema.SchemaItem]":
    return [
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("report_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("patient_id", KEY, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"]),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        sa.PrimaryKeyConstraint("id"),
    ]


def _forbid_change(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql "
        f"AS $$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )
