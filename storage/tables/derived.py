"""Documents that the hub makes of its final reports."""

from sqlalchemy import Column, ForeignKey, Integer, Table, UniqueConstraint

from .columns import Key, key_column, metadata, reference

# Reports of a study whose documents are to be made, or made anew. More rows than one for a report do no harm.
document_due = Table("document_due", metadata, key_column(), reference("report"))

# Which instances the hub made, of which version of which report. Hidden ones stay.
derived_instance = Table(
    "derived_instance",
    metadata,
    Column("report_id", Key, ForeignKey("report.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("instance_id", Key, ForeignKey("instance.id"), primary_key=True),
    UniqueConstraint("instance_id"),
)
