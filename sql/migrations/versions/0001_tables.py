"""tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915 - one statement for each table and index

    op.create_table(
        "approvals",
        sa.Column("approval_id", sa.UUID(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "terms",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="what was seen: row ids, kind, payee, amount, asset, policy version",
        ),
        sa.Column("evidence_hash", sa.Text(), nullable=False, comment="SHA-256 of the terms"),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status not in ('approved', 'rejected') or approver is not null",
            name=op.f("ck_approvals_decided_by_someone"),
        ),
        sa.CheckConstraint("subject_kind in ('incident', 'case', 'breaker')", name=op.f("ck_approvals_subject_kind")),
        sa.CheckConstraint("approver is null or approver <> maker", name=op.f("ck_approvals_approver_is_not_maker")),
        sa.PrimaryKeyConstraint("approval_id", name=op.f("pk_approvals")),
    )
    op.create_index(
        "uq_approvals_one_open",
        "approvals",
        ["subject_kind", "subject_id"],
        unique=True,
        postgresql_where=sa.text("status = 'proposed'"),
    )
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="business time"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="machine time"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "chain_position", sa.BigInteger(), nullable=True, comment="its place in the chain, set once, by the sealer"
        ),
        sa.Column("chain_hash", sa.Text(), nullable=True, comment="SHA-256 over the row and the hash before it"),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
        sa.UniqueConstraint("chain_position", name=op.f("uq_audit_chain_position")),
    )
    op.create_index("ix_audit_subject", "audit", ["subject_kind", "subject_id"], unique=False)
    op.create_table(
        "breakers",
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("open", sa.Text(), nullable=True, comment="why nothing is paid, or null when closed"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("flow", name=op.f("pk_breakers")),
    )
    op.create_table(
        "budgets",
        sa.Column("scope", sa.Text(), nullable=False, comment="flow:topup, customer:<keyed hash>, incident:<id>"),
        sa.Column("window", sa.Text(), nullable=False, comment="day:2024-07-09, hour:2024-07-09T14, all"),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("used_count", sa.BigInteger(), nullable=False),
        sa.Column("used_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used_count >= 0 and used_minor >= 0", name=op.f("ck_budgets_not_negative")),
        sa.PrimaryKeyConstraint("scope", "window", "asset", name=op.f("pk_budgets")),
    )
    op.create_table(
        "directory",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("opted_out", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("channel in ('sms', 'email')", name=op.f("ck_directory_channel")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_directory")),
        comment="how each customer wants to be told; from directory feeds",
    )
    op.create_table(
        "feeds",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column(
            "watermark",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="complete up to here; a trigger refuses to move it back",
        ),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("grade in ('proven', 'assumed')", name=op.f("ck_feeds_grade")),
        sa.CheckConstraint("side in ('confirmation', 'ledger', 'payment', 'directory')", name=op.f("ck_feeds_side")),
        sa.PrimaryKeyConstraint("feed", name=op.f("pk_feeds")),
    )
    op.create_table(
        "flow_modes",
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column(
            "epoch",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="fencing: a worker whose epoch is older may not send",
        ),
        sa.Column(
            "policy",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="the money keys of the configuration as activated",
        ),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("activated_by", sa.Text(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("mode in ('shadow', 'canary', 'live', 'stopped')", name=op.f("ck_flow_modes_mode")),
        sa.PrimaryKeyConstraint("flow", name=op.f("pk_flow_modes")),
    )
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "scope",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="what its cases share: a product, a channel, a time; or the feed",
        ),
        sa.Column("cause", sa.Text(), nullable=True, comment="in the words that were approved"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="when credits came again"),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "settle_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="no remedy before this instant: late originals may still land",
        ),
        sa.Column("asset", sa.Text(), nullable=True),
        sa.Column("max_count", sa.Integer(), nullable=True, comment="how many remedies its approval covers"),
        sa.Column("max_minor", sa.BigInteger(), nullable=True),
        sa.Column("used_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("used_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('credits', 'feed')", name=op.f("ck_incidents_kind")),
        sa.CheckConstraint(
            "used_count <= coalesce(max_count, 0) and used_minor <= coalesce(max_minor, 0)",
            name=op.f("ck_incidents_within_approval"),
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("number", name=op.f("uq_incidents_number")),
    )
    op.create_index(
        "uq_incidents_one_open",
        "incidents",
        ["flow", "kind"],
        unique=True,
        postgresql_where=sa.text("status <> 'closed' and kind = 'credits'"),
    )
    op.create_table(
        "instance",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_instance")),
        comment="what belongs to this installation alone, such as the secret behind case numbers",
    )
    op.create_table(
        "job_runs",
        sa.Column("job_run_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="the feed or the flow; empty for all"),
        sa.Column("business_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="machine time"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False, comment="machine time"),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("job_run_id", name=op.f("pk_job_runs")),
        comment="one row for each job that ran to its end",
    )
    op.create_index("ix_job_runs_job", "job_runs", ["job", "business_time"], unique=False)
    op.create_table(
        "runs",
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False, comment="the highest of a flow is its run pointer"),
        sa.Column("path", sa.Text(), nullable=False, comment="the folder of the fold's output, below the lake"),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False, comment="business time at which it ran"),
        sa.Column("confirmation_watermark", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ledger_watermark", sa.DateTime(timezone=True), nullable=True),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("new_rows", sa.BigInteger(), nullable=False),
        sa.Column("open_items", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_runs")),
        sa.UniqueConstraint("flow", "sequence", name=op.f("uq_runs_flow_sequence")),
    )
    op.create_table(
        "transitions",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=False),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "from_status", "to_status", name=op.f("pk_transitions")),
        comment="the allowed steps; the trigger enforce_transition refuses all others",
    )
    op.create_table(
        "users",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False, comment="argon2id"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="fr", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint(
            "role in ('agent', 'supervisor', 'auditor', 'engineer', 'admin')", name=op.f("ck_users_role")
        ),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_users")),
    )
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.UUID(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="the name under which it was delivered"),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was refused or withdrawn"),
        sa.Column("landed_path", sa.Text(), nullable=False, comment="the unchanged copy, below the lake"),
        sa.Column("path", sa.Text(), nullable=True, comment="the published Parquet file, below the lake"),
        sa.Column("raw_rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("published_rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("quarantined_rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duplicate_rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_of_scope_rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "money",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="asset → the same five, in minor units, of the rows whose amount can be read",
        ),
        sa.Column(
            "complete_through",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="what this delivery says its feed is complete up to",
        ),
        sa.Column(
            "first_key",
            sa.Text(collation="C"),
            nullable=True,
            comment="the smallest and the greatest row key that it published:",
        ),
        sa.Column(
            "last_key",
            sa.Text(collation="C"),
            nullable=True,
            comment="a row can be a duplicate only of a batch whose range holds its key",
        ),
        sa.Column("landed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status <> 'published' or path is not null or published_rows = 0",
            name=op.f("ck_batches_published_has_path"),
        ),
        sa.CheckConstraint(
            "status not in ('published', 'withdrawn') or raw_rows = published_rows + quarantined_rows + duplicate_rows + out_of_scope_rows",
            name=op.f("ck_batches_nothing_lost"),
        ),
        sa.CheckConstraint(
            "status not in ('refused', 'withdrawn') or reason is not null", name=op.f("ck_batches_reason_given")
        ),
        sa.ForeignKeyConstraint(["feed"], ["feeds.feed"], name=op.f("fk_batches_feed")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batches")),
        sa.UniqueConstraint("feed", "sha256", name=op.f("uq_batches_feed_sha256")),
    )
    op.create_index("ix_batches_flow_status", "batches", ["flow", "status"], unique=False)
    op.create_index("ix_batches_feed_published", "batches", ["feed", "published_at"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column(
            "delivery_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="the order in which they were seen",
        ),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="the name under which it was delivered"),
        sa.Column(
            "mark",
            sa.Text(),
            nullable=False,
            comment="size and time of its files: what is unchanged is not read again",
        ),
        sa.Column("batch_id", sa.UUID(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], name=op.f("fk_deliveries_batch_id")),
        sa.ForeignKeyConstraint(["feed"], ["feeds.feed"], name=op.f("fk_deliveries_feed")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("feed", "source", "mark", name=op.f("uq_deliveries_feed_source_mark")),
        comment="which files were seen, and which batch each of them is",
    )
    op.create_table(
        "cases",
        sa.Column(
            "case_id",
            sa.UUID(),
            nullable=False,
            comment="the id of its break, and of its confirmation where there is one",
        ),
        sa.Column("number", sa.Text(), nullable=False, comment="what people say on the phone"),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="the kind of its newest verdict"),
        sa.Column("version", sa.Integer(), nullable=False, comment="the version of its newest verdict"),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("product", sa.Text(), nullable=True),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("confirmed_minor", sa.BigInteger(), nullable=False),
        sa.Column(
            "owed_minor",
            sa.BigInteger(),
            nullable=False,
            comment="positive: owed to the customer; negative: had too much",
        ),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "decidable_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="the earliest moment at which it could be known",
        ),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "credited_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it was made whole, by whichever credit",
        ),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("blocked", sa.Text(), nullable=True, comment="why no automatic money may move, or null"),
        sa.Column("disposition", sa.Text(), nullable=False, comment="what is being done about it"),
        sa.Column("disposition_reason", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False, comment="the queue or the person that has it"),
        sa.Column("incident_id", sa.UUID(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(status = 'closed') = (closed_at is not null)", name=op.f("ck_cases_closed_at")),
        sa.CheckConstraint("grade in ('proven', 'assumed')", name=op.f("ck_cases_grade")),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.incident_id"], name=op.f("fk_cases_incident_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_cases")),
        sa.UniqueConstraint("number", name=op.f("uq_cases_number")),
    )
    op.create_index("ix_cases_account", "cases", ["account"], unique=False)
    op.create_index("ix_cases_flow_status", "cases", ["flow", "status"], unique=False)
    op.create_index("ix_cases_incident_id", "cases", ["incident_id"], unique=False)
    op.create_index("ix_cases_payer", "cases", ["payer"], unique=False)
    op.create_index("ix_cases_reference", "cases", ["reference"], unique=False)
    op.create_table(
        "sessions",
        sa.Column(
            "session_hash", sa.Text(), nullable=False, comment="SHA-256 of the cookie: the cookie itself is not stored"
        ),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("csrf_token", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, comment="machine time"),
        sa.ForeignKeyConstraint(["username"], ["users.username"], name=op.f("fk_sessions_username")),
        sa.PrimaryKeyConstraint("session_hash", name=op.f("pk_sessions")),
    )
    op.create_table(
        "statements",
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column(
            "lines",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="line → {rows, minor}; see docs/matching.md",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_statements_run_id")),
        sa.PrimaryKeyConstraint("flow", "asset", "day", name=op.f("pk_statements")),
    )
    op.create_table(
        "contacts",
        sa.Column("contact_id", sa.UUID(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("case_id", sa.UUID(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name=op.f("fk_contacts_case_id")),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contacts")),
    )
    op.create_index("ix_contacts_account", "contacts", ["account"], unique=False)
    op.create_table(
        "intents",
        sa.Column("intent_id", sa.UUID(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False, comment="whom to credit, from evidence alone"),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("purchase_minor", sa.BigInteger(), nullable=False, comment="the purchase: no remedy may exceed it"),
        sa.Column("reference", sa.Text(), nullable=True, comment="the original's, for the gateway's books"),
        sa.Column(
            "message_id", sa.Text(), nullable=True, comment="one re-credit per message, whatever a template makes of it"
        ),
        sa.Column("verdict_version", sa.Integer(), nullable=False, comment="the verdict that it rests on"),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("approval_id", sa.UUID(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True, comment="business time of the first send"),
        sa.Column("credited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("component in ('recredit', 'refund', 'compensation')", name=op.f("ck_intents_component")),
        sa.CheckConstraint(
            "amount_minor > 0 and amount_minor <= purchase_minor", name=op.f("ck_intents_within_purchase")
        ),
        sa.ForeignKeyConstraint(["approval_id"], ["approvals.approval_id"], name=op.f("fk_intents_approval_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name=op.f("fk_intents_case_id")),
        sa.PrimaryKeyConstraint("intent_id", name=op.f("pk_intents")),
        sa.UniqueConstraint("case_id", "component", name=op.f("uq_intents_case_id_component")),
    )
    op.create_index("ix_intents_flow_status", "intents", ["flow", "status"], unique=False)
    op.create_index("uq_intents_one_per_message", "intents", ["flow", "message_id", "component"], unique=True)
    op.create_index(
        "uq_intents_one_remedy",
        "intents",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text(
            "component in ('recredit', 'refund') and status not in ('void', 'rejected', 'expired')"
        ),
    )
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.UUID(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False, comment="detected, delayed, credited, self_settled, …"),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column(
            "facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="what the text says, and rests on"
        ),
        sa.Column("text", sa.Text(), nullable=True, comment="as it was submitted"),
        sa.Column("parts", sa.Integer(), nullable=True),
        sa.Column(
            "tries", sa.Integer(), server_default="0", nullable=False, comment="how often it was handed to its channel"
        ),
        sa.Column(
            "provider_ids",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="what the channel calls it, one a part",
        ),
        sa.Column(
            "receipts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="provider id → what became of that part",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was suppressed or failed"),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel in ('sms', 'email')", name=op.f("ck_notices_channel")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name=op.f("fk_notices_case_id")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notices")),
        sa.UniqueConstraint("case_id", "event", "channel", name=op.f("uq_notices_case_id_event_channel")),
    )
    op.create_index("ix_notices_provider_ids", "notices", ["provider_ids"], unique=False, postgresql_using="gin")
    op.create_index("ix_notices_status", "notices", ["status"], unique=False)
    op.create_table(
        "promises",
        sa.Column("promise_id", sa.UUID(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("due_at >= from_at", name=op.f("ck_promises_window")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name=op.f("fk_promises_case_id")),
        sa.PrimaryKeyConstraint("promise_id", name=op.f("pk_promises")),
    )
    op.create_index("ix_promises_case_id", "promises", ["case_id"], unique=False)
    op.create_index("ix_promises_status_due_at", "promises", ["status", "due_at"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("quarantine_id", sa.UUID(), nullable=False),
        sa.Column("batch_id", sa.UUID(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("row_number", sa.BigInteger(), nullable=False),
        sa.Column(
            "row_key", sa.Text(), nullable=True, comment="where readable: the corrected row comes under the same key"
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="the expectation or the rule that the row broke"),
        sa.Column("column_name", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True, comment="where readable: what this row could settle is held"),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="held", nullable=False),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('held', 'replayed', 'superseded', 'dismissed')", name=op.f("ck_quarantine_status")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], name=op.f("fk_quarantine_batch_id")),
        sa.PrimaryKeyConstraint("quarantine_id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("batch_id", "row_number", name=op.f("uq_quarantine_batch_id_row_number")),
    )
    op.create_index("ix_quarantine_flow_status", "quarantine", ["flow", "side", "status"], unique=False)
    op.create_index("ix_quarantine_row_key", "quarantine", ["feed", "row_key"], unique=False)
    op.create_table(
        "run_batches",
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.UUID(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], name=op.f("fk_run_batches_batch_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_run_batches_run_id")),
        sa.PrimaryKeyConstraint("flow", "batch_id", name=op.f("pk_run_batches")),
        comment="which run took a batch; the key lets no batch be folded twice",
    )
    op.create_table(
        "verdicts",
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("credited_minor", sa.BigInteger(), nullable=False),
        sa.Column("own_minor", sa.BigInteger(), nullable=False, comment="what we ourselves credited"),
        sa.Column("owed_minor", sa.BigInteger(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name=op.f("fk_verdicts_case_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_verdicts_run_id")),
        sa.PrimaryKeyConstraint("case_id", "version", name=op.f("pk_verdicts")),
        comment="every verdict a case ever had; rows are never changed",
    )
    op.create_table(
        "attempts",
        sa.Column("attempt_id", sa.UUID(), nullable=False),
        sa.Column("intent_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False, comment="the bytes that are sent, for ever the same"),
        sa.Column("payload_sha256", sa.Text(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_epoch", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True, comment="machine time"),
        sa.Column("gateway_reference", sa.Text(), nullable=True, comment="the gateway's own correlation id"),
        sa.Column("transaction_reference", sa.Text(), nullable=True, comment="the gateway's transaction"),
        sa.Column("sends", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True, comment="business time of the first send"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_meaning", sa.Text(), nullable=True, comment="what the last answer meant"),
        sa.ForeignKeyConstraint(["intent_id"], ["intents.intent_id"], name=op.f("fk_attempts_intent_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("intent_id", "number", name=op.f("uq_attempts_intent_id_number")),
    )
    op.create_index("ix_attempts_status", "attempts", ["status"], unique=False)
    op.create_index(
        "uq_attempts_one_alive",
        "attempts",
        ["intent_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'failed_proven'"),
    )
    op.create_table(
        "postings",
        sa.Column("posting_id", sa.UUID(), nullable=False),
        sa.Column("intent_id", sa.UUID(), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("credit in ('budget', 'reserve', 'suspense', 'paid')", name=op.f("ck_postings_credit")),
        sa.CheckConstraint("debit in ('budget', 'reserve', 'suspense', 'paid')", name=op.f("ck_postings_debit")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_postings_positive")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_postings_two_accounts")),
        sa.ForeignKeyConstraint(["intent_id"], ["intents.intent_id"], name=op.f("fk_postings_intent_id")),
        sa.PrimaryKeyConstraint("posting_id", name=op.f("pk_postings")),
        comment="double entry: budget → reserve → suspense → paid, or back; rows are never changed",
    )
    op.create_index("ix_postings_intent_id", "postings", ["intent_id"], unique=False)
    op.create_table(
        "observations",
        sa.Column("observation_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("attempt_id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False, comment="send, ask, poll"),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.attempt_id"], name=op.f("fk_observations_attempt_id")),
        sa.PrimaryKeyConstraint("observation_id", name=op.f("pk_observations")),
        comment="every answer of a gateway, and every silence; rows are never changed",
    )
    op.create_index("ix_observations_attempt_id", "observations", ["attempt_id"], unique=False)
