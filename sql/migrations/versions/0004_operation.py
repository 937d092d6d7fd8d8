"""What whoever looks after the installation is told from: job totals, alerts, and indexes that keep metrics cheap."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_totals",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="the feed or the flow; empty for all"),
        sa.Column("succeeded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seconds", sa.Double(), server_default="0", nullable=False, comment="of all its runs together"),
        sa.Column("failed_in_a_row", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_succeeded_at", sa.DateTime(timezone=True), nullable=True, comment="machine time"),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=True, comment="machine time"),
        sa.Column("last_error", sa.Text(), nullable=True, comment="its type and where in the code, never its text"),
        sa.Column(
            "violated_at", sa.DateTime(timezone=True), nullable=True, comment="when an invariant last did not hold"
        ),
        sa.PrimaryKeyConstraint("job", "subject", name=op.f("pk_job_totals")),
        comment="how often each job ran and failed since the beginning",
    )
    op.create_table(
        "alerts",
        sa.Column("alert_key", sa.Text(), nullable=False, comment="one for each cause, for as long as it lasts"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="the flow, the feed or the job"),
        sa.Column("stage", sa.Text(), nullable=False, comment="how it stands; a new one is news"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_stage", sa.Text(), nullable=True, comment="the stage that was told last"),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True, comment="machine time"),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("alert_key", name=op.f("pk_alerts")),
        comment="what whoever looks after the installation has been told, and what is still to be told",
    )
    op.create_index(
        "ix_cases_open",
        "cases",
        ["flow", "kind", "asset", "owed_minor"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index("ix_intents_money", "intents", ["flow", "status", "asset", "amount_minor"], unique=False)
    op.create_index(
        "ix_attempts_unresolved",
        "attempts",
        ["status", "sent_at"],
        unique=False,
        postgresql_where=sa.text("status <> 'confirmed'"),
    )
    op.create_index("ix_notices_planned_at", "notices", ["planned_at"], unique=False)
    op.create_index(
        "ix_quarantine_held", "quarantine", ["feed"], unique=False, postgresql_where=sa.text("status = 'held'")
    )
