"""Who opened and was shown what, and who must be told that it changed."""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from .columns import Exact, Instant, Key, key_column, metadata, reference

# Append-only, as decisions are. One row a day for each who opened a version: reading it again tells nothing new.
# `day` counts from 1970-01-01 (UTC).
opening = Table(
    "opening",
    metadata,
    key_column(),
    reference("report"),
    Column("version", Integer, nullable=False),
    reference("patient"),
    reference("organization"),
    Column("account", Exact, nullable=False),
    Column("day", Integer, nullable=False),
    Column("opened_at", Instant, nullable=False),
    UniqueConstraint("report_id", "version", "organization_id", "account", "day"),
    Index("ix_opening_opened_at", "opened_at"),
)

# Append-only. `day` as above: one reminder an order is one reminder, however often its page is drawn.
showing = Table(
    "showing",
    metadata,
    key_column(),
    reference("report"),
    Column("version", Integer, nullable=False),
    reference("patient"),
    reference("organization"),
    Column("account", Exact, nullable=False),
    Column("item", Exact, nullable=False),
    Column("advice", String, nullable=False),
    Column("place", String, nullable=False),
    Column("order_number", Exact, nullable=False, default=""),
    Column("day", Integer, nullable=False),
    Column("shown_at", Instant, nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint(
        *("report_id", "version", "organization_id", "account", "item", "order_number", "advice", "day"),
        name="uq_showing_once",
    ),
    Index("ix_showing_shown_at", "shown_at"),
)

notice = Table(
    "notice",
    metadata,
    key_column(),
    Column("kind", String, nullable=False),
    Column("reliance", String, nullable=False),
    reference("report"),
    Column("seen_version", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    reference("patient"),
    reference("organization"),
    Column("account", Exact, nullable=False),
    Column("cause_id", Key, nullable=False),
    # The entry that told of the change: told twice, it is one notice.
    reference("outbox"),
    Column("raised_at", Instant, nullable=False),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", Exact, nullable=False, default=""),
    Column("remark", Text, nullable=False, default=""),
    Column("escalated_at", Instant),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("outbox_id", "report_id", "organization_id", "account"),
    Index("ix_notice_report_id", "report_id"),
    Index("ix_notice_organization_id_acknowledged_at", "organization_id", "acknowledged_at"),
)

# A card of CDS Hooks as it was shown: what feedback about it decides. `outcome`: the last one, empty before any.
card = Table(
    "card",
    metadata,
    key_column(),
    Column("uuid", Exact, nullable=False, unique=True),
    Column("account", Exact, nullable=False),
    Column("organization", Exact, nullable=False),
    Column("shown_at", Instant, nullable=False),
    Column("outcome", String, nullable=False, default=""),
    Column("document", LargeBinary, nullable=False),
)

subscription = Table(
    "subscription",
    metadata,
    key_column(),
    reference("organization"),
    Column("status", String, nullable=False),
    # Notices up to this one were there before it.
    Column("after_notice", Key, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("error", Text, nullable=False, default=""),
    Column("document", LargeBinary, nullable=False),
)

# A call that is to be made; gone when it was answered.
hook = Table(
    "hook",
    metadata,
    key_column(),
    reference("subscription"),
    reference("notice"),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", Instant, nullable=False),
    Column("answered_at", Instant),
    UniqueConstraint("subscription_id", "notice_id"),
    Index("ix_hook_answered_at", "answered_at", "next_attempt_at"),
)
