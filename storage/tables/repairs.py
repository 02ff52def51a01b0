"""Which delivery is a corrected copy of which, and who made it."""

from sqlalchemy import Column, ForeignKey, String, Table

from .columns import Exact, Key, metadata

# A table of its own: of a million deliveries a handful are copies, and none of the others should pay for it.
repair = Table(
    "repair",
    metadata,
    Column("delivery_id", Key, ForeignKey("delivery.id"), primary_key=True),
    Column("original_id", Key, ForeignKey("delivery.id"), nullable=False, index=True),
    Column("account", Exact, nullable=False),
    Column("reason", String, nullable=False),
)
