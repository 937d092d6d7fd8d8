"""What feeds prove whose files or rows bear numbers without gaps."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sequence_ranges",
        sa.Column("batch_id", UUID, nullable=False),
        sa.Column("node", sa.Text(), nullable=False, comment="empty where nodes are not told apart"),
        sa.Column("first_number", sa.BigInteger(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("through", INSTANT, comment="the time up to which these numbers reach, where it is known"),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.CheckConstraint("first_number <= last_number", name=op.f("ck_sequence_ranges_not_empty")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], name=op.f("fk_sequence_ranges_batch_id_batches")),
        sa.ForeignKeyConstraint(["feed"], ["feeds.feed"], name=op.f("fk_sequence_ranges_feed_feeds")),
        sa.PrimaryKeyConstraint("batch_id", "node", "first_number", name=op.f("pk_sequence_ranges")),
        comment="the numbers that a delivery of a sequence feed brought",
    )
    op.create_index("ix_sequence_ranges_last", "sequence_ranges", ["feed", "node", "last_number"])
    op.create_table(
        "sequences",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("first_number", sa.BigInteger(), nullable=False, comment="with which its numbers began"),
        sa.Column(
            "reached_number", sa.BigInteger(), nullable=False, comment="all from the first to this one have come"
        ),
        sa.Column("through", INSTANT, comment="the time up to which these reach"),
        sa.Column(
            "gap_last",
            sa.BigInteger(),
            comment="the last number that is missing before the next one that came; NULL: none is",
        ),
        sa.ForeignKeyConstraint(["feed"], ["feeds.feed"], name=op.f("fk_sequences_feed_feeds")),
        sa.PrimaryKeyConstraint("feed", "node", name=op.f("pk_sequences")),
        comment="how far each node of a sequence feed is complete",
    )
