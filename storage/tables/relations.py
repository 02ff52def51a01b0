"""How reports belong to one another: susceptibility and culture, addendum and document; and what contests them."""

from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint

from .columns import Exact, Instant, Key, metadata, reference

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

# A delivery that waits because it names another patient for a report that is there: until a person has looked, nobody
# knows whose the report is. settled_at: a person said that the report is right as it stands.
contest = Table(
    "contest",
    metadata,
    Column("delivery_id", Key, ForeignKey("delivery.id"), primary_key=True),
    Column("report_id", Key, ForeignKey("report.id"), primary_key=True, index=True),
    Column("settled_at", Instant),
)
