from sqlalchemy import BigInteger, Column, Date, ForeignKey, Integer, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, UUID

from reconcile.store.tables.base import Instant, metadata

runs = Table(
    "runs",
    metadata,
    Column("run_id", UUID, primary_key=True),
    Column("flow", Text, nullable=False),
    Column("sequence", Integer, nullable=False, comment="the highest of a flow is its run pointer"),
    Column("path", Text, nullable=False, comment="the folder of the fold's output, below the lake"),
    Column("as_of", Instant, nullable=False, comment="business time at which it ran"),
    Column("confirmation_watermark", Instant),
    Column("ledger_watermark", Instant),
    Column("payment_watermark", Instant, comment="null in a flow without a feed of payments"),
    Column("grade", Text, nullable=False),
    Column(
        "doubts", UUID, comment="what kept purchases from being judged: made of rows in quarantine and batches in doubt"
    ),
    Column("new_rows", BigInteger, nullable=False),
    Column("open_items", BigInteger, nullable=False),
    Column(
        "matches_path",
        Text,
        comment="the file that its matches were merged into, which also means that its folder is gone; empty: expired",
    ),
    UniqueConstraint("flow", "sequence"),
)

run_batches = Table(
    "run_batches",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("batch_id", UUID, ForeignKey("batches.batch_id"), primary_key=True),
    Column("run_id", UUID, ForeignKey("runs.run_id"), nullable=False),
    comment="which run took a batch; the key lets no batch be folded twice",
)

run_withdrawals = Table(
    "run_withdrawals",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("batch_id", UUID, ForeignKey("batches.batch_id"), primary_key=True),
    Column("run_id", UUID, ForeignKey("runs.run_id"), nullable=False),
    comment="which run took back the rows of a batch that was folded and then withdrawn",
)

statements = Table(
    "statements",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("asset", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("run_id", UUID, ForeignKey("runs.run_id"), nullable=False),
    Column("verdict", Text, nullable=False),
    Column("lines", JSONB, nullable=False, comment="line → {rows, minor}; see docs/matching.md"),
)
