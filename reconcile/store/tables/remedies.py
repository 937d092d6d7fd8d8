from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from reconcile.store.tables.base import Instant, metadata

intents = Table(
    "intents",
    metadata,
    Column("intent_id", UUID, primary_key=True),
    Column("case_id", UUID, ForeignKey("cases.case_id"), nullable=False),
    Column("flow", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("account", Text, nullable=False, comment="whom to credit, from evidence alone"),
    Column("asset", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("purchase_minor", BigInteger, nullable=False, comment="the purchase: no remedy may exceed it"),
    Column("reference", Text, comment="the original's, for the gateway's books"),
    Column("message_id", Text, comment="one re-credit per message, whatever a template makes of it"),
    Column("verdict_version", Integer, nullable=False, comment="the verdict that it rests on"),
    Column("policy_version", Text, nullable=False),
    Column("approval_id", UUID, ForeignKey("approvals.approval_id")),
    Column("reason", Text, nullable=False),
    Column("planned_at", Instant, nullable=False),
    Column("sent_at", Instant, comment="business time of the first send"),
    Column("credited_at", Instant),
    Column("verified_at", Instant),
    UniqueConstraint("case_id", "component"),
    CheckConstraint("component in ('recredit', 'refund', 'compensation')", name="component"),
    CheckConstraint("amount_minor > 0 and amount_minor <= purchase_minor", name="within_purchase"),
    Index(
        "uq_intents_one_remedy",
        "case_id",
        unique=True,
        postgresql_where=text("component in ('recredit', 'refund') and status not in ('void', 'rejected', 'expired')"),
    ),
    Index("uq_intents_one_per_message", "flow", "message_id", "component", unique=True),
    Index("ix_intents_flow_status", "flow", "status"),
    Index("ix_intents_money", "flow", "status", "asset", "amount_minor"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("attempt_id", UUID, primary_key=True),
    Column("intent_id", UUID, ForeignKey("intents.intent_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False, comment="the bytes that are sent, for ever the same"),
    Column("payload_sha256", Text, nullable=False),
    Column("lease_owner", Text),
    Column("lease_epoch", BigInteger),
    Column("lease_until", Instant, comment="machine time"),
    Column("gateway_reference", Text, comment="the gateway's own correlation id"),
    Column("transaction_reference", Text, comment="the gateway's transaction"),
    Column("sends", Integer, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant, comment="business time of the first send"),
    Column("ended_at", Instant),
    Column("last_meaning", Text, comment="what the last answer meant"),
    UniqueConstraint("intent_id", "number"),
    Index(
        "uq_attempts_one_alive",
        "intent_id",
        unique=True,
        postgresql_where=text("status <> 'failed_proven'"),
    ),
    Index("ix_attempts_status", "status"),
    Index("ix_attempts_unresolved", "status", "sent_at", postgresql_where=text("status <> 'confirmed'")),
)

observations = Table(
    "observations",
    metadata,
    Column("observation_id", BigInteger, Identity(always=True), primary_key=True),
    Column("attempt_id", UUID, ForeignKey("attempts.attempt_id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("action", Text, nullable=False, comment="send, ask, poll"),
    Column("http_status", Integer),
    Column("meaning", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default="{}"),
    Index("ix_observations_attempt_id", "attempt_id"),
    comment="every answer of a gateway, and every silence; rows are never changed",
)

postings = Table(
    "postings",
    metadata,
    Column("posting_id", UUID, primary_key=True),
    Column("intent_id", UUID, ForeignKey("intents.intent_id"), nullable=False),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    CheckConstraint("amount_minor > 0", name="positive"),
    CheckConstraint("debit <> credit", name="two_accounts"),
    CheckConstraint("debit in ('budget', 'reserve', 'suspense', 'paid')", name="debit"),
    CheckConstraint("credit in ('budget', 'reserve', 'suspense', 'paid')", name="credit"),
    Index("ix_postings_intent_id", "intent_id"),
    comment="double entry: budget → reserve → suspense → paid, or back; rows are never changed",
)

budgets = Table(
    "budgets",
    metadata,
    Column("scope", Text, primary_key=True, comment="flow:topup, customer:<keyed hash>, incident:<id>"),
    Column("window", Text, primary_key=True, comment="day:2024-07-09, hour:2024-07-09T14, all"),
    Column("asset", Text, primary_key=True),
    Column("used_count", BigInteger, nullable=False),
    Column("used_minor", BigInteger, nullable=False),
    CheckConstraint("used_count >= 0 and used_minor >= 0", name="not_negative"),
)

flow_modes = Table(
    "flow_modes",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("mode", Text, nullable=False),
    Column(
        "epoch",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="fencing: a worker whose epoch is older may not send",
    ),
    Column(
        "policy", JSONB, nullable=False, server_default="{}", comment="the money keys of the configuration as activated"
    ),
    Column("policy_version", Text, nullable=False),
    Column("activated_by", Text, nullable=False),
    Column("activated_at", Instant, nullable=False),
    CheckConstraint("mode in ('shadow', 'canary', 'live', 'stopped')", name="mode"),
)

breakers = Table(
    "breakers",
    metadata,
    Column("flow", Text, primary_key=True),
    Column("open", Text, comment="why nothing is paid, or null when closed"),
    Column("changed_at", Instant, nullable=False),
)
