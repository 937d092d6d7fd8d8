from sqlalchemy import BigInteger, Column, Double, Identity, Index, Integer, LargeBinary, Table, Text
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

job_totals = Table(
    "job_totals",
    metadata,
    Column("job", Text, primary_key=True),
    Column("subject", Text, primary_key=True, comment="the feed or the flow; empty for all"),
    Column("succeeded", BigInteger, nullable=False, server_default="0"),
    Column("failed", BigInteger, nullable=False, server_default="0"),
    Column("seconds", Double, nullable=False, server_default="0", comment="of all its runs together"),
    Column("failed_in_a_row", BigInteger, nullable=False, server_default="0"),
    Column("last_succeeded_at", Instant, comment="machine time"),
    Column("last_failed_at", Instant, comment="machine time"),
    Column("last_error", Text, comment="its type and where in the code, never its text"),
    Column("violated_at", Instant, comment="when an invariant last did not hold"),
    comment="how often each job ran and failed since the beginning",
)

alerts = Table(
    "alerts",
    metadata,
    Column("alert_key", Text, primary_key=True, comment="one for each cause, for as long as it lasts"),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="the flow, the feed or the job"),
    Column("stage", Text, nullable=False, comment="how it stands; a new one is news"),
    Column("text", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("told_stage", Text, comment="the stage that was told last"),
    Column("told_at", Instant, comment="machine time"),
    Column("tries", Integer, nullable=False, server_default="0"),
    comment="what whoever looks after the installation has been told, and what is still to be told",
)

instance = Table(
    "instance",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    comment="what belongs to this installation alone, such as the secret behind case numbers",
)
