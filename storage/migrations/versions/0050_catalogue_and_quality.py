"""The catalogue of mutual recognition, and quality records."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0009"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
APPEND_ONLY = ("catalogue_item", "quality_change", "quality_record")


def upgrade() -> None:
    op.create_table(
        "catalogue_item",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("code", EXACT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", EXACT, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", "version", name=op.f("uq_catalogue_item_code_version")),
    )
    op.create_table(
        "quality_change",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", EXACT, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _quality_record()
    for table in APPEND_ONLY:
        _forbid_change(table)


def _quality_record() -> None:
    op.create_table(
        "quality_record",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("quality_change_id", KEY, nullable=False),
        sa.Column("organization", EXACT, nullable=False),
        sa.Column("item", EXACT, nullable=False),
        sa.Column("method", EXACT, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["quality_change_id"], ["quality_change.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "organization",
            "item",
            "method",
            "since",
            "version",
            name=op.f("uq_quality_record_organization_item_method_since_version"),
        ),
    )
    op.create_index("ix_quality_record_change", "quality_record", ["quality_change_id"], unique=False)


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
