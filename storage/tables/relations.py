"""How reports belong to one another: a susceptibility to its culture, an addendum to its document."""

from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint

from .columns import Exact, Key, metadata, reference

# A number under which a report names its parent, which may come later or never.
report_parent = Table(
    "report_parent",
    metadata,
    Column("report_id", Key, ForeignKey("report.id"), primary_key=True),
    Column("number", Exact, primary_key=True),
    Index("ix_report_parent_number", "number"),
)

# Further keys of a report: a replaced document goes on under the number of the one that replaced it.
report_alias = Table(
    "report_alias",
    metadata,
    reference("organization"),
    Column("key", Exact, nullable=False),
    reference("report"),
    UniqueConstraint("organization_id", "key"),
)
