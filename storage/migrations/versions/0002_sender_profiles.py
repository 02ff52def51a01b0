"""What is known of a sender's habits, the maps of its codes and units, and the codes that nobody has mapped."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
OWN_CODE = sa.text("code_system <> 'http://loinc.org'")
APPEND_ONLY = ("source_version", "mapping")


def upgrade() -> None:
    op.add_column("source", sa.Column("profile", sa.LargeBinary(), nullable=True))
    _source_version()
    _mapping()
    _task()
    op.create_index(
        "ix_observation_own_code",
        "observation",
        ["code_system", "code"],
        unique=False,
        sqlite_where=OWN_CODE,
        postgresql_where=OWN_CODE,
    )
    for table in APPEND_ONLY:
        _forbid_change(table)


def _source_version() -> None:
    op.create_table(
        "source_version",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.Column("saved_by", EXACT, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_source_version_source_id", "source_version", ["source_id"], unique=False)


def _mapping() -> None:
    op.create_table(
        "mapping",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("system", EXACT, nullable=False),
        sa.Column("code", EXACT, nullable=False),
        sa.Column("concept_system", EXACT, nullable=False),
        sa.Column("concept_code", EXACT, nullable=False),
        sa.Column("concept_display", sa.String(), nullable=False),
        sa.Column("decided_by", EXACT, nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mapping_sent", "mapping", ["kind", "system", "code"], unique=False)


def _task() -> None:
    op.create_table(
        "task",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("system", EXACT, nullable=False),
        sa.Column("code", EXACT, nullable=False),
        sa.Column("display", sa.String(), nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", EXACT, nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "system", "code", name=op.f("uq_task_kind_system_code")),
    )
    op.create_index("ix_task_state", "task", ["state", "id"], unique=False)


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
