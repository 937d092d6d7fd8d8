from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, UUID

from reconcile.store.tables.base import Instant, metadata

notices = Table(
    "notices",
    metadata,
    Column("notice_id", UUID, primary_key=True),
    Column("case_id", UUID, ForeignKey("cases.case_id"), nullable=False),
    Column("event", Text, nullable=False, comment="detected, delayed, credited, self_settled, …"),
    Column("channel", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("facts", JSONB, nullable=False, comment="what the text says, and rests on"),
    Column("text", Text, comment="as it was submitted"),
    Column("parts", Integer),
    Column("tries", Integer, nullable=False, server_default="0", comment="how often it was handed to its channel"),
    Column("provider_ids", JSONB, nullable=False, server_default="[]", comment="what the channel calls it, one a part"),
    Column("receipts", JSONB, nullable=False, server_default="{}", comment="provider id → what became of that part"),
    Column("reason", Text, comment="why it was suppressed or failed"),
    Column("planned_at", Instant, nullable=False),
    Column("submitted_at", Instant),
    Column("delivered_at", Instant),
    UniqueConstraint("case_id", "event", "channel"),
    CheckConstraint("channel in ('sms', 'email')", name="channel"),
    Index("ix_notices_status", "status"),
    Index("ix_notices_planned_at", "planned_at"),
    Index("ix_notices_provider_ids", "provider_ids", postgresql_using="gin"),
)
