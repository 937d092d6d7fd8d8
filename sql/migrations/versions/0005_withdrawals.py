"""What people do about batches: withdraw, release, accept; and which run took a withdrawal."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, UUID

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "batches", sa.Column("broken", ARRAY(sa.Text), comment="the expectations of a delivery that it broke")
    )
    op.add_column(
        "batches", sa.Column("remark", sa.Text, comment="what is unusual about it, and no reason to refuse it")
    )
    op.add_column(
        "batches", sa.Column("accepted_at", sa.DateTime(timezone=True), comment="when a person took it as it is")
    )
    op.add_column("batches", sa.Column("withdrawn_at", sa.DateTime(timezone=True)))
    op.add_column(
        "batches",
        sa.Column(
            "released_at",
            sa.DateTime(timezone=True),
            comment="since when a withdrawn batch is made good, by a new delivery or by a person's word",
        ),
    )
    op.create_check_constraint(
        op.f("ck_batches_withdrawn_at"), "batches", "(status = 'withdrawn') = (withdrawn_at is not null)"
    )
    op.create_check_constraint(
        op.f("ck_batches_only_withdrawn_is_released"), "batches", "released_at is null or status = 'withdrawn'"
    )
    op.create_index(
        "ix_batches_open_withdrawal",
        "batches",
        ["flow"],
        postgresql_where=sa.text("status = 'withdrawn' and released_at is null"),
    )
    op.create_table(
        "run_withdrawals",
        sa.Column("flow", sa.Text, nullable=False),
        sa.Column("batch_id", UUID, nullable=False),
        sa.Column("run_id", UUID, nullable=False),
        sa.PrimaryKeyConstraint("flow", "batch_id", name=op.f("pk_run_withdrawals")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], name=op.f("fk_run_withdrawals_batch_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_run_withdrawals_run_id")),
        comment="which run took back the rows of a batch that was folded and then withdrawn",
    )
