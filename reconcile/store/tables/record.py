from sqlalchemy import BigInteger, Column, Identity, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from reconcile.store.tables.base import Instant, metadata

transitions = Table(
    "transitions",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("from_status", Text, primary_key=True),
    Column("to_status", Text, primary_key=True),
    comment="the allowed steps; the trigger enforce_transition refuses all others",
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", Instant, nullable=False, comment="business time"),
    Column("recorded_at", Instant, nullable=False, comment="machine time"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("chain_position", BigInteger, unique=True, comment="its place in the chain, set once, by the sealer"),
    Column("chain_hash", Text, comment="SHA-256 over the row and the hash before it"),
    Index("ix_audit_subject", "subject_kind", "subject_id"),
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("job_run_id", BigInteger, Identity(always=True), primary_key=True),
    Column("job", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="the feed or the flow; empty for all"),
    Column("business_time", Instant, nullable=False),
    Column("started_at", Instant, nullable=False, comment="machine time"),
    Column("finished_at", Instant, nullable=False, comment="machine time"),
    Column("counts", JSONB, nullable=False),
    Index("ix_job_runs_job", "job", "business_time"),
    comment="one row for each job that ran to its end",
)

instance = Table(
    "instance",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    comment="what belongs to this installation alone, such as the secret behind case numbers",
)
