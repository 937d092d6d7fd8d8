from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from reconcile.store.tables.base import Instant, metadata

feeds = Table(
    "feeds",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("flow", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("watermark", Instant, comment="complete up to here; a trigger refuses to move it back"),
    Column("grade", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
    CheckConstraint("side in ('confirmation', 'ledger', 'payment', 'directory')", name="side"),
    CheckConstraint("grade in ('proven', 'assumed')", name="grade"),
)

batches = Table(
    "batches",
    metadata,
    Column("batch_id", UUID, primary_key=True),
    Column("feed", Text, ForeignKey("feeds.feed"), nullable=False),
    Column("flow", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("source", Text, nullable=False, comment="the name under which it was delivered"),
    Column("sha256", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, comment="why it was refused or withdrawn"),
    Column("landed_path", Text, nullable=False, comment="the unchanged copy, below the lake; empty: none is kept"),
    Column("path", Text, comment="the published Parquet file, below the lake; old days share one"),
    Column("raw_rows", BigInteger, nullable=False, server_default="0"),
    Column("published_rows", BigInteger, nullable=False, server_default="0"),
    Column("quarantined_rows", BigInteger, nullable=False, server_default="0"),
    Column("duplicate_rows", BigInteger, nullable=False, server_default="0"),
    Column("out_of_scope_rows", BigInteger, nullable=False, server_default="0"),
    Column(
        "money",
        JSONB,
        nullable=False,
        server_default="{}",
        comment="asset → the same five, in minor units, of the rows whose amount can be read",
    ),
    Column("complete_through", Instant, comment="what this delivery says its feed is complete up to"),
    Column("first_key", Text(collation="C"), comment="the smallest and the greatest row key that it published:"),
    Column(
        "last_key", Text(collation="C"), comment="a row can be a duplicate only of a batch whose range holds its key"
    ),
    Column("landed_at", Instant, nullable=False),
    Column("published_at", Instant),
    Column("expired_at", Instant, comment="when its rows left the lake for their age"),
    Column("broken", ARRAY(Text), comment="the expectations of a delivery that it broke"),
    Column("remark", Text, comment="what is unusual about it, and no reason to refuse it"),
    Column("accepted_at", Instant, comment="when a person took it as it is"),
    Column("withdrawn_at", Instant),
    Column(
        "released_at",
        Instant,
        comment="since when a withdrawn batch is made good, by a new delivery or by a person's word",
    ),
    UniqueConstraint("feed", "sha256"),
    CheckConstraint(
        "status not in ('published', 'withdrawn') or "
        "raw_rows = published_rows + quarantined_rows + duplicate_rows + out_of_scope_rows",
        name="nothing_lost",
    ),
    CheckConstraint(
        "status <> 'published' or path is not null or published_rows = 0 or expired_at is not null",
        name="published_has_path",
    ),
    CheckConstraint("status not in ('refused', 'withdrawn') or reason is not null", name="reason_given"),
    CheckConstraint("(status = 'withdrawn') = (withdrawn_at is not null)", name="withdrawn_at"),
    CheckConstraint("released_at is null or status = 'withdrawn'", name="only_withdrawn_is_released"),
    Index("ix_batches_flow_status", "flow", "status"),
    Index("ix_batches_open_withdrawal", "flow", postgresql_where=text("status = 'withdrawn' and released_at is null")),
    Index("ix_batches_feed_published", "feed", "published_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column(
        "delivery_id", BigInteger, Identity(always=True), primary_key=True, comment="the order in which they were seen"
    ),
    Column("feed", Text, ForeignKey("feeds.feed"), nullable=False),
    Column("source", Text, nullable=False, comment="the name under which it was delivered"),
    Column("mark", Text, nullable=False, comment="size and time of its files: what is unchanged is not read again"),
    Column("batch_id", UUID, ForeignKey("batches.batch_id"), nullable=False),
    Column("seen_at", Instant, nullable=False),
    UniqueConstraint("feed", "source", "mark"),
    comment="which files were seen, and which batch each of them is",
)

sequence_ranges = Table(
    "sequence_ranges",
    metadata,
    Column("batch_id", UUID, ForeignKey("batches.batch_id"), primary_key=True),
    Column("node", Text, primary_key=True, comment="empty where nodes are not told apart"),
    Column("first_number", BigInteger, primary_key=True),
    Column("last_number", BigInteger, nullable=False),
    Column("through", Instant, comment="the time up to which these numbers reach, where it is known"),
    Column("feed", Text, ForeignKey("feeds.feed"), nullable=False),
    CheckConstraint("first_number <= last_number", name="not_empty"),
    Index("ix_sequence_ranges_last", "feed", "node", "last_number"),
    comment="the numbers that a delivery of a sequence feed brought",
)

sequences = Table(
    "sequences",
    metadata,
    Column("feed", Text, ForeignKey("feeds.feed"), primary_key=True),
    Column("node", Text, primary_key=True),
    Column("first_number", BigInteger, nullable=False, comment="with which its numbers began"),
    Column("reached_number", BigInteger, nullable=False, comment="all from the first to this one have come"),
    Column("through", Instant, comment="the time up to which these reach"),
    Column(
        "gap_last", BigInteger, comment="the last number that is missing before the next one that came; NULL: none is"
    ),
    comment="how far each node of a sequence feed is complete",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("quarantine_id", UUID, primary_key=True),
    Column("batch_id", UUID, ForeignKey("batches.batch_id"), nullable=False),
    Column("feed", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("row_number", BigInteger, nullable=False),
    Column("row_key", Text, comment="where readable: the corrected row comes under the same key"),
    Column("reason", Text, nullable=False, comment="the expectation or the rule that the row broke"),
    Column("column_name", Text),
    Column("raw", Text, nullable=False),
    Column("account", Text, comment="where readable: what this row could settle is held"),
    Column("reference", Text),
    Column("status", Text, nullable=False, server_default="held"),
    Column("quarantined_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    UniqueConstraint("batch_id", "row_number"),
    CheckConstraint("status in ('held', 'replayed', 'superseded', 'dismissed')", name="status"),
    Index("ix_quarantine_flow_status", "flow", "side", "status"),
    Index("ix_quarantine_row_key", "feed", "row_key"),
    Index("ix_quarantine_held", "feed", postgresql_where=text("status = 'held'")),
)

directory = Table(
    "directory",
    metadata,
    Column("account", Text, primary_key=True),
    Column("language", Text),
    Column("email", Text),
    Column("channel", Text),
    Column("opted_out", Boolean, nullable=False, server_default="false"),
    Column("updated_at", Instant, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    CheckConstraint("channel in ('sms', 'email')", name="channel"),
    comment="how each customer wants to be told; from directory feeds",
)
