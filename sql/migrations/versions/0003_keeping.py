"""What housekeeping and erasure need: files on their way out, legal holds, suppressed numbers, and what may be blanked."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "retired_files",
        sa.Column("path", sa.Text(), nullable=False, comment="a file or a folder that no row names any more"),
        sa.Column("retired_at", INSTANT, nullable=False, comment="machine time"),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_retired_files")),
        comment="what leaves the lake once nobody can be reading it any more",
    )
    op.create_table(
        "holds",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_holds")),
        comment="legal holds: nothing of these accounts is erased, and no file is removed for its age",
    )
    op.create_table(
        "suppressions",
        sa.Column("account_hash", sa.Text(), nullable=False, comment="keyed: the number itself is not kept"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("account_hash", name=op.f("pk_suppressions")),
        comment="who is never told anything, whatever a directory feed says",
    )
    op.add_column("batches", sa.Column("expired_at", INSTANT, comment="when its rows left the lake for their age"))
    op.drop_constraint(op.f("ck_batches_published_has_path"), "batches", type_="check")
    op.create_check_constraint(
        op.f("ck_batches_published_has_path"),
        "batches",
        "status <> 'published' or path is not null or published_rows = 0 or expired_at is not null",
    )
    for column, comment in (
        ("landed_path", "the unchanged copy, below the lake; empty: none is kept"),
        ("path", "the published Parquet file, below the lake; old days share one"),
    ):
        op.alter_column("batches", column, comment=comment)
    op.add_column(
        "runs",
        sa.Column(
            "matches_path",
            sa.Text(),
            comment="the file that its matches were merged into, which also means that its folder is gone; empty: expired",
        ),
    )

    # Erasure may blank what a finished remedy says about its customer: once, and to nothing else.
    op.execute("""
        create or replace function attempt_is_fixed() returns trigger language plpgsql as $$
        begin
            if new.intent_id = old.intent_id and new.number = old.number
               and old.status in ('confirmed', 'failed_proven') and new.payload = ''::bytea and new.payload_sha256 = ''
            then
                return new;
            end if;
            if new.payload is distinct from old.payload or new.payload_sha256 <> old.payload_sha256
               or new.intent_id <> old.intent_id or new.number <> old.number then
                raise exception 'the payload of attempt % is fixed', old.attempt_id using errcode = 'check_violation';
            end if;
            return new;
        end $$
    """)
    op.execute("""
        create or replace function intent_is_fixed() returns trigger language plpgsql as $$
        begin
            if (new.case_id, new.component, new.asset, new.amount_minor)
               is distinct from (old.case_id, old.component, old.asset, old.amount_minor)
               or new.account <> old.account and not (
                   new.account like 'erased:%' and old.status in ('verified', 'void', 'rejected', 'expired')
               ) then
                raise exception 'what intent % pays, and to whom, is fixed', old.intent_id using errcode = 'check_violation';
            end if;
            return new;
        end $$
    """)
