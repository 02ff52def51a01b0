"""Orders, and the numbers by which a result finds the order that it answers."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, String, Table, UniqueConstraint

from .columns import Exact, Instant, Key, key_column, metadata, reference

# `organization_id`: whoever ordered it, not who told us of it: a filler speaks of its placers' orders too.
service_order = Table(
    "service_order",
    metadata,
    key_column(),
    reference("organization"),
    Column("key", Exact, nullable=False),
    reference("patient"),
    reference("delivery"),
    Column("recorded_at", Instant, nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("organization_id", "key"),
    Index("ix_service_order_patient_id", "patient_id"),
)

# `kind`: placer, filler or accession. One order may have several fillers' numbers, one for each of its services.
service_order_number = Table(
    "service_order_number",
    metadata,
    Column("number", Exact, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("service_order_id", Key, ForeignKey("service_order.id"), primary_key=True),
    Index("ix_service_order_number_service_order_id", "service_order_id"),
)

# Which order a report answers. `agreed`: the patients were found to agree; else it holds once they are one person.
report_order = Table(
    "report_order",
    metadata,
    Column("report_id", Key, ForeignKey("report.id"), primary_key=True),
    reference("service_order"),
    Column("agreed", Boolean, nullable=False),
    Index("ix_report_order_service_order_id", "service_order_id"),
)
