"""Patients as their sources know them, the persons they are, and what is doubtful of that."""

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from .columns import Exact, Instant, Key, key_column, metadata, reference

person = Table(
    "person",
    metadata,
    key_column(),
    Column("version", Integer, nullable=False),
)

person_version = Table(
    "person_version",
    metadata,
    Column("person_id", Key, ForeignKey("person.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("recorded_at", Instant, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

# A patient as one assigning authority knows them; which person that is may change, and change back.
patient = Table(
    "patient",
    metadata,
    key_column(),
    reference("person"),
    Column("system", Exact, nullable=False),
    Column("value", Exact, nullable=False),
    Column("birth_date", Date, index=True),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("system", "value"),
    Index("ix_patient_person_id", "person_id"),
)

patient_identifier = Table(
    "patient_identifier",
    metadata,
    Column("patient_id", Key, ForeignKey("patient.id"), primary_key=True),
    Column("system", Exact, primary_key=True),
    Column("value", Exact, primary_key=True),
    Index("ix_patient_identifier_value_system", "value", "system"),
)

# What a person may type to find a patient: the name, the given name, pinyin, its initials.
patient_search_key = Table(
    "patient_search_key",
    metadata,
    Column("search_key", Exact, primary_key=True),
    Column("patient_id", Key, ForeignKey("patient.id"), primary_key=True),
    Index("ix_patient_search_key_patient_id", "patient_id"),
)

doubt = Table(
    "doubt",
    metadata,
    key_column(),
    reference("patient"),
    reference("patient", name="other_patient_id"),
    Column("reason", String, nullable=False),
    Column("state", String, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("decided_by", String, nullable=False, default=""),
    Column("decided_at", Instant),
    UniqueConstraint("patient_id", "other_patient_id", "reason"),
    Index("ix_doubt_state", "state", "id"),
    Index("ix_doubt_other_patient_id", "other_patient_id"),
)

# Every change of the person that a patient belongs to, so that a link can be undone.
link = Table(
    "link",
    metadata,
    key_column(),
    reference("patient"),
    reference("person", name="from_person_id", nullable=True),
    reference("person", name="to_person_id"),
    Column("reason", String, nullable=False),
    Column("decided_by", String, nullable=False, default=""),
    Column("linked_at", Instant, nullable=False),
)

# What an institution said of its own numbers: the prior one is no longer used, its patient goes on under the other.
# `from_person_id`: whose the prior one was before; it goes back there when the merge is undone.
merge = Table(
    "merge",
    metadata,
    key_column(),
    reference("patient", name="prior_patient_id"),
    reference("patient", name="surviving_patient_id"),
    reference("person", name="from_person_id"),
    reference("delivery"),
    Column("state", String, nullable=False),
    Column("merged_at", Instant, nullable=False),
    Column("undone_by", String, nullable=False, default=""),
    Column("undone_at", Instant),
    Column("reason", String, nullable=False, default=""),
    Index("ix_merge_prior_patient_id", "prior_patient_id"),
    Index("ix_merge_surviving_patient_id", "surviving_patient_id"),
)
