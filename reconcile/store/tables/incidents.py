from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from reconcile.store.tables.base import Instant, metadata

incidents = Table(
    "incidents",
    metadata,
    Column("incident_id", UUID, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("flow", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("scope", JSONB, nullable=False, comment="what its cases share: a product, a channel, a time; or the feed"),
    Column("cause", Text, comment="in the words that were approved"),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, comment="when credits came again"),
    Column("detected_at", Instant, nullable=False),
    Column("settle_until", Instant, comment="no remedy before this instant: late originals may still land"),
    Column("asset", Text),
    Column("max_count", Integer, comment="how many remedies its approval covers"),
    Column("max_minor", BigInteger),
    Column("used_count", Integer, nullable=False, server_default="0"),
    Column("used_minor", BigInteger, nullable=False, server_default="0"),
    Column("closed_at", Instant),
    CheckConstraint("kind in ('credits', 'feed')", name="kind"),
    CheckConstraint(
        "used_count <= coalesce(max_count, 0) and used_minor <= coalesce(max_minor, 0)", name="within_approval"
    ),
    Index(
        "uq_incidents_one_open",
        "flow",
        "kind",
        unique=True,
        postgresql_where=text("status <> 'closed' and kind = 'credits'"),
    ),
    Index(
        "uq_incidents_one_open_of_a_feed",
        "flow",
        text("(scope ->> 'feed')"),
        unique=True,
        postgresql_where=text("status <> 'closed' and kind = 'feed'"),
    ),
)

approvals = Table(
    "approvals",
    metadata,
    Column("approval_id", UUID, primary_key=True),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", UUID, nullable=False),
    Column("status", Text, nullable=False),
    Column("maker", Text, nullable=False),
    Column("approver", Text),
    Column("reason", Text, nullable=False),
    Column(
        "terms", JSONB, nullable=False, comment="what was seen: row ids, kind, payee, amount, asset, policy version"
    ),
    Column("evidence_hash", Text, nullable=False, comment="SHA-256 of the terms"),
    Column("proposed_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("decided_at", Instant),
    CheckConstraint("approver is null or approver <> maker", name="approver_is_not_maker"),
    CheckConstraint("status not in ('approved', 'rejected') or approver is not null", name="decided_by_someone"),
    CheckConstraint("subject_kind in ('incident', 'case', 'breaker')", name="subject_kind"),
    Index(
        "uq_approvals_one_open",
        "subject_kind",
        "subject_id",
        unique=True,
        postgresql_where=text("status = 'proposed'"),
    ),
)
