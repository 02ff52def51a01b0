"""What becomes of studies after their images came: rejected, corrected, moved, graded, removed. Never deleted."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, UniqueConstraint

from .columns import Exact, Instant, key_column, metadata, reference

# One row for each instance that a rejection note names, whether or not it has arrived (IHE RAD-66).
# `organization_id`: whose note it is. `undone_*`: a person took it back.
rejection = Table(
    "rejection",
    metadata,
    key_column(),
    Column("study_instance_uid", Exact, nullable=False),
    Column("sop_instance_uid", Exact, nullable=False),
    Column("note_instance_uid", Exact, nullable=False),
    reference("organization"),
    reference("delivery"),
    Column("code", String, nullable=False),
    Column("rejected_at", Instant, nullable=False),
    Column("undone_by", Exact, nullable=False, default=""),
    Column("undone_at", Instant),
    UniqueConstraint("sop_instance_uid", "note_instance_uid"),
    Index("ix_rejection_study_instance_uid", "study_instance_uid"),
    Index("ix_rejection_note_instance_uid", "note_instance_uid"),
)

# What an instance was before other content under its UID took its place: where that lies, and its header.
instance_version = Table(
    "instance_version",
    metadata,
    key_column(),
    reference("instance"),
    reference("delivery"),
    Column("digest", Exact, nullable=False),
    Column("data_set_digest", Exact, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("replaced_at", Instant, nullable=False),
    Column("replaced_by", Exact, nullable=False),
    Column("reason", String, nullable=False, default=""),
    Index("ix_instance_version_instance_id", "instance_id"),
    Index("ix_instance_version_digest", "digest"),
)

# Every other patient, or other description of the patient, that a person gave a study. `document`: before and after.
study_change = Table(
    "study_change",
    metadata,
    key_column(),
    reference("study"),
    reference("patient", name="from_patient_id"),
    reference("patient", name="to_patient_id"),
    Column("kind", String, nullable=False),
    Column("account", Exact, nullable=False),
    Column("organization", Exact, nullable=False),
    Column("reason", String, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("ix_study_change_study_id", "study_id"),
)

# What a modality said of a study that it had finished: which instances there are (`document`), said by what.
study_announcement = Table(
    "study_announcement",
    metadata,
    key_column(),
    Column("study_instance_uid", Exact, nullable=False),
    Column("announced_by", Exact, nullable=False),
    Column("announced_at", Instant, nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("study_instance_uid", "announced_by"),
)

# How good the images are: what the hub found when the study was complete (`kind` `check`), and each reader's grade.
study_quality = Table(
    "study_quality",
    metadata,
    key_column(),
    reference("study"),
    Column("kind", String, nullable=False),
    Column("account", Exact, nullable=False, default=""),
    Column("organization", Exact, nullable=False, default=""),
    Column("recorded_at", Instant, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("ix_study_quality_study_id", "study_id", "id"),
)

# What a person, or a rule, has removed: the record stays, the bytes go.
removal = Table(
    "removal",
    metadata,
    key_column(),
    reference("study"),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("account", Exact, nullable=False),
    Column("removed_at", Instant, nullable=False),
    Column("undone_at", Instant),
    Column("done_at", Instant),
    Column("document", LargeBinary, nullable=False),
    Index("ix_removal_study_id", "study_id"),
    Index("ix_removal_state", "state", "id"),
)

removed_object = Table(
    "removed_object",
    metadata,
    Column("digest", Exact, primary_key=True),
    reference("removal"),
    Column("size", BigInteger, nullable=False),
    Column("removed_at", Instant, nullable=False),
)
