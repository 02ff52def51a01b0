"""Orders, so that a result finds what it answers; what belongs together; and merges of patients, so that they undo."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    _service_order()
    _report_relations()
    _merge()


def _service_order() -> None:
    op.create_table(
        "service_order",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("key", EXACT, nullable=False),
        sa.Column("patient_id", KEY, nullable=False),
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"]),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("organization_id", "key", name=op.f("uq_service_order_organization_id_key")),
    )
    op.create_index("ix_service_order_patient_id", "service_order", ["patient_id"], unique=False)
    op.create_table(
        "service_order_number",
        sa.Column("number", EXACT, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("service_order_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["service_order_id"], ["service_order.id"]),
        sa.PrimaryKeyConstraint("number", "kind", "service_order_id"),
    )
    op.create_index(
        "ix_service_order_number_service_order_id", "service_order_number", ["service_order_id"], unique=False
    )
    op.create_table(
        "report_order",
        sa.Column("report_id", KEY, nullable=False),
        sa.Column("service_order_id", KEY, nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.ForeignKeyConstraint(["service_order_id"], ["service_order.id"]),
        sa.PrimaryKeyConstraint("report_id"),
    )
    op.create_index("ix_report_order_service_order_id", "report_order", ["service_order_id"], unique=False)


def _report_relations() -> None:
    op.create_table(
        "report_parent",
        sa.Column("report_id", KEY, nullable=False),
        sa.Column("number", EXACT, nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.PrimaryKeyConstraint("report_id", "number"),
    )
    op.create_index("ix_report_parent_number", "report_parent", ["number"], unique=False)
    op.create_table(
        "report_alias",
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("key", EXACT, nullable=False),
        sa.Column("report_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"]),
        sa.UniqueConstraint("organization_id", "key", name=op.f("uq_report_alias_organization_id_key")),
    )


def _merge() -> None:
    op.create_table(
        "merge",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("prior_patient_id", KEY, nullable=False),
        sa.Column("surviving_patient_id", KEY, nullable=False),
        sa.Column("from_person_id", KEY, nullable=False),
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("merged_at", sa.BigInteger(), nullable=False),
        sa.Column("undone_by", sa.String(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"]),
        sa.ForeignKeyConstraint(["from_person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["prior_patient_id"], ["patient.id"]),
        sa.ForeignKeyConstraint(["surviving_patient_id"], ["patient.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_merge_prior_patient_id", "merge", ["prior_patient_id"], unique=False)
    op.create_index("ix_merge_surviving_patient_id", "merge", ["surviving_patient_id"], unique=False)
