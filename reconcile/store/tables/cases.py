from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from reconcile.store.tables.base import Instant, metadata

cases = Table(
    "cases",
    metadata,
    Column(
        "case_id", UUID, primary_key=True, comment="the id of its break, and of its confirmation where there is one"
    ),
    Column("number", Text, nullable=False, unique=True, comment="what people say on the phone"),
    Column("flow", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="the kind of its newest verdict"),
    Column("version", Integer, nullable=False, comment="the version of its newest verdict"),
    Column("account", Text, nullable=False),
    Column("payer", Text),
    Column("reference", Text),
    Column("message_id", Text),
    Column("product", Text),
    Column("asset", Text, nullable=False),
    Column("confirmed_minor", BigInteger, nullable=False),
    Column("owed_minor", BigInteger, nullable=False, comment="positive: owed to the customer; negative: had too much"),
    Column("confirmed_at", Instant),
    Column("deadline_at", Instant),
    Column("decidable_at", Instant, comment="the earliest moment at which it could be known"),
    Column("detected_at", Instant, nullable=False),
    Column("credited_at", Instant, comment="when it was made whole, by whichever credit"),
    Column("grade", Text, nullable=False),
    Column("blocked", Text, comment="why no automatic money may move, or null"),
    Column("disposition", Text, nullable=False, comment="what is being done about it"),
    Column("disposition_reason", Text, nullable=False),
    Column("owner", Text, nullable=False, comment="the queue or the person that has it"),
    Column("incident_id", UUID, ForeignKey("incidents.incident_id")),
    Column("closed_at", Instant),
    CheckConstraint("grade in ('proven', 'assumed')", name="grade"),
    CheckConstraint("(status = 'closed') = (closed_at is not null)", name="closed_at"),
    Index("ix_cases_account", "account"),
    Index("ix_cases_payer", "payer"),
    Index("ix_cases_reference", "reference"),
    Index("ix_cases_incident_id", "incident_id"),
    Index("ix_cases_flow_status", "flow", "status"),
    Index("ix_cases_open", "flow", "kind", "asset", "owed_minor", postgresql_where=text("status = 'open'")),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("case_id", UUID, ForeignKey("cases.case_id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("credited_minor", BigInteger, nullable=False),
    Column("own_minor", BigInteger, nullable=False, comment="what we ourselves credited"),
    Column("owed_minor", BigInteger, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("run_id", UUID, ForeignKey("runs.run_id"), nullable=False),
    Column("at", Instant, nullable=False),
    comment="every verdict a case ever had; rows are never changed",
)

promises = Table(
    "promises",
    metadata,
    Column("promise_id", UUID, primary_key=True),
    Column("case_id", UUID, ForeignKey("cases.case_id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("ended_at", Instant),
    CheckConstraint("due_at >= from_at", name="window"),
    Index("ix_promises_status_due_at", "status", "due_at"),
    Index("ix_promises_case_id", "case_id"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("contact_id", UUID, primary_key=True),
    Column("account", Text),
    Column("case_id", UUID, ForeignKey("cases.case_id")),
    Column("channel", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_contacts_account", "account"),
)
