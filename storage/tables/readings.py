"""The reading of ECGs: how far it has come, how pressing it is, and who is at it."""

from sqlalchemy import Column, Index, Integer, String, Table, UniqueConstraint

from .columns import Exact, Instant, key_column, metadata, reference

# One row for each ECG. `rank`: 0 for critical. `later`: a version that its source sent after a person had confirmed it,
# until somebody looked. `claimed_*`: who is reading; for nobody once `claimed_until` is over.
ecg_reading = Table(
    "ecg_reading",
    metadata,
    key_column(),
    reference("report"),
    Column("state", String, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("later", Integer, nullable=False, default=0),
    Column("claimed_by", Exact, nullable=False, default=""),
    Column("claimed_name", String, nullable=False, default=""),
    Column("claimed_organization", Exact, nullable=False, default=""),
    Column("claimed_until", Instant),
    UniqueConstraint("report_id"),
    Index("ix_ecg_reading_state", "state", "rank", "since"),
)
