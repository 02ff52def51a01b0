"""The first tables, and the triggers that make the audit trail append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Written out here rather than taken from storage.tables: a migration describes a moment, the tables describe today.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.String().with_variant(sa.String(collation="C"), "postgresql")

# Both what was recorded and what was decided stand for good.
APPEND_ONLY = ("audit", "decision", "report_version", "person_version", "link")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("account", EXACT, nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("patient_id", KEY, nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_audit_account", "audit", ["account"], unique=False)
    op.create_index("ix_audit_patient_id", "audit", ["patient_id"], unique=False)
    op.create_table(
        "organization",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("code", EXACT, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name=op.f("uq_organization_code")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_outbox_done_at", "outbox", ["done_at", "id"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "setting",
        sa.Column("name", EXACT, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "account",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("name", EXACT, nullable=False),
        sa.Column("display", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )
    op.create_table(
        "patient",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("system", EXACT, nullable=False),
        sa.Column("value", EXACT, nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "value", name=op.f("uq_patient_system_value")),
    )
    op.create_index(op.f("ix_patient_birth_date"), "patient", ["birth_date"], unique=False)
    op.create_index("ix_patient_person_id", "patient", ["person_id"], unique=False)
    op.create_table(
        "person_version",
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("person_id", "version"),
    )
    op.create_table(
        "source",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("name", EXACT, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("authority", EXACT, nullable=False),
        sa.Column("charset", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name=op.f("uq_source_name")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("fingerprint", EXACT, nullable=False),
        sa.Column("digest", EXACT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("hint", sa.LargeBinary(), nullable=True),
        sa.Column("accounting", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["source.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source_id", "fingerprint", name=op.f("uq_delivery_source_id_fingerprint")),
    )
    op.create_index(op.f("ix_delivery_digest"), "delivery", ["digest"], unique=False)
    op.create_index(op.f("ix_delivery_received_at"), "delivery", ["received_at"], unique=False)
    op.create_index("ix_delivery_waiting", "delivery", ["state", "id"], unique=False)
    op.create_table(
        "doubt",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("patient_id", KEY, nullable=False),
        sa.Column("other_patient_id", KEY, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["other_patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "patient_id", "other_patient_id", "reason", name=op.f("uq_doubt_patient_id_other_patient_id_reason")
        ),
    )
    op.create_index("ix_doubt_other_patient_id", "doubt", ["other_patient_id"], unique=False)
    op.create_index("ix_doubt_state", "doubt", ["state", "id"], unique=False)
    op.create_table(
        "link",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("patient_id", KEY, nullable=False),
        sa.Column("from_person_id", KEY, nullable=True),
        sa.Column("to_person_id", KEY, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["from_person_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["to_person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "patient_identifier",
        sa.Column("patient_id", KEY, nullable=False),
        sa.Column("system", EXACT, nullable=False),
        sa.Column("value", EXACT, nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("patient_id", "system", "value"),
    )
    op.create_index("ix_patient_identifier_value_system", "patient_identifier", ["value", "system"], unique=False)
    op.create_table(
        "patient_search_key",
        sa.Column("search_key", EXACT, nullable=False),
        sa.Column("patient_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("search_key", "patient_id"),
    )
    op.create_index("ix_patient_search_key_patient_id", "patient_search_key", ["patient_id"], unique=False)
    op.create_table(
        "report",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("patient_id", KEY, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("key", EXACT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("code", EXACT, nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("placer_order_number", EXACT, nullable=False),
        sa.Column("filler_order_number", EXACT, nullable=False),
        sa.Column("accession_number", EXACT, nullable=False),
        sa.Column("study_instance_uid", EXACT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("organization_id", "category", "key", name=op.f("uq_report_organization_id_category_key")),
    )
    op.create_index("ix_report_accession_number", "report", ["accession_number"], unique=False)
    op.create_index("ix_report_filler_order_number", "report", ["filler_order_number"], unique=False)
    op.create_index("ix_report_observed_at", "report", ["observed_at"], unique=False)
    op.create_index("ix_report_patient_id_observed_at", "report", ["patient_id", "observed_at"], unique=False)
    op.create_index("ix_report_placer_order_number", "report", ["placer_order_number"], unique=False)
    op.create_index("ix_report_study_instance_uid", "report", ["study_instance_uid"], unique=False)
    op.create_table(
        "token",
        sa.Column("digest", EXACT, nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "decision",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("report_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("patient_id", KEY, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("account", EXACT, nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["report.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_decision_decided_at"), "decision", ["decided_at"], unique=False)
    op.create_index("ix_decision_patient_id", "decision", ["patient_id"], unique=False)
    op.create_index("ix_decision_report_id_version", "decision", ["report_id", "version"], unique=False)
    op.create_table(
        "delivery_report",
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("report_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["report.id"],
        ),
        sa.PrimaryKeyConstraint("delivery_id", "report_id"),
    )
    op.create_index("ix_delivery_report_report_id", "delivery_report", ["report_id"], unique=False)
    op.create_table(
        "observation",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("report_id", KEY, nullable=False),
        sa.Column("patient_id", KEY, nullable=False),
        sa.Column("code", EXACT, nullable=False),
        sa.Column("code_system", EXACT, nullable=False),
        sa.Column("sub_id", EXACT, nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["report.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "report_id",
            "code",
            "code_system",
            "sub_id",
            "slot",
            name=op.f("uq_observation_report_id_code_code_system_sub_id_slot"),
        ),
    )
    op.create_index(
        "ix_observation_patient_id_code_observed_at", "observation", ["patient_id", "code", "observed_at"], unique=False
    )
    op.create_table(
        "part",
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("digest", EXACT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
        ),
        sa.UniqueConstraint("delivery_id", "digest", name=op.f("uq_part_delivery_id_digest")),
    )
    op.create_table(
        "report_version",
        sa.Column("report_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["report.id"],
        ),
        sa.PrimaryKeyConstraint("report_id", "version"),
    )
    op.create_index("ix_report_version_delivery_id", "report_version", ["delivery_id"], unique=False)
    op.create_table(
        "study",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("study_instance_uid", EXACT, nullable=False),
        sa.Column("patient_id", KEY, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("report_id", KEY, nullable=False),
        sa.Column("patient_identifier", EXACT, nullable=False),
        sa.Column("patient_name", sa.String(), nullable=False),
        sa.Column("accession_number", EXACT, nullable=False),
        sa.Column("study_date", EXACT, nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("modalities", sa.String(), nullable=False),
        sa.Column("series_count", sa.Integer(), nullable=False),
        sa.Column("instance_count", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["report.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("study_instance_uid", name=op.f("uq_study_study_instance_uid")),
    )
    op.create_index(op.f("ix_study_accession_number"), "study", ["accession_number"], unique=False)
    op.create_index("ix_study_patient_id", "study", ["patient_id"], unique=False)
    op.create_index(op.f("ix_study_patient_identifier"), "study", ["patient_identifier"], unique=False)
    op.create_index(op.f("ix_study_study_date"), "study", ["study_date"], unique=False)
    op.create_table(
        "series",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("series_instance_uid", EXACT, nullable=False),
        sa.Column("study_id", KEY, nullable=False),
        sa.Column("instance_count", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("series_instance_uid", name=op.f("uq_series_series_instance_uid")),
    )
    op.create_index("ix_series_study_id", "series", ["study_id"], unique=False)
    op.create_table(
        "instance",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("sop_instance_uid", EXACT, nullable=False),
        sa.Column("series_id", KEY, nullable=False),
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("sop_class_uid", sa.String(), nullable=False),
        sa.Column("transfer_syntax_uid", sa.String(), nullable=False),
        sa.Column("digest", EXACT, nullable=False),
        sa.Column("data_set_digest", EXACT, nullable=False),
        sa.Column("data_set_offset", sa.Integer(), nullable=False),
        sa.Column("instance_number", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("columns", sa.Integer(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
        ),
        sa.ForeignKeyConstraint(
            ["series_id"],
            ["series.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sop_instance_uid", name=op.f("uq_instance_sop_instance_uid")),
    )
    op.create_index("ix_instance_series_id", "instance", ["series_id"], unique=False)
    op.create_table(
        "instance_metadata",
        sa.Column("instance_id", KEY, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["instance.id"],
        ),
        sa.PrimaryKeyConstraint("instance_id"),
    )
    for table in APPEND_ONLY:
        _forbid_change(table)


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
