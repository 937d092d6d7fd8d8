"""What the database itself refuses: wrong transitions, changed records, watermarks that move back."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The state machines as they stood at this revision; a later change comes as a revision of its own.
TRANSITIONS = """
batch: new>landed landed>published landed>refused refused>landed published>withdrawn
case: new>open open>remedied open>self_settled open>rejected open>written_off remedied>closed self_settled>closed
case: rejected>closed written_off>closed closed>open
incident: new>open open>recovered recovered>open recovered>approved open>closed recovered>closed approved>recovered
incident: approved>closed
approval: new>proposed proposed>approved proposed>rejected proposed>expired proposed>void approved>void
intent: new>planned planned>awaiting_approval planned>approved awaiting_approval>approved approved>awaiting_approval
intent: approved>reserved reserved>approved reserved>executing executing>approved executing>credited credited>verified
intent: credited>escalated executing>escalated planned>void planned>rejected planned>expired planned>escalated
intent: awaiting_approval>void awaiting_approval>rejected awaiting_approval>expired awaiting_approval>escalated
intent: approved>void approved>rejected approved>expired approved>escalated
intent: reserved>void reserved>rejected reserved>expired reserved>escalated
intent: escalated>credited escalated>verified escalated>void
attempt: new>created created>sending sending>accepted sending>confirmed sending>failed_proven sending>unknown
attempt: accepted>confirmed accepted>failed_proven accepted>unknown unknown>confirmed unknown>failed_proven
notice: new>planned planned>submitting planned>suppressed submitting>submitted submitting>planned submitting>uncertain
notice: submitting>failed uncertain>delivered uncertain>failed submitted>delivered submitted>failed
promise: new>open open>kept open>broken open>cancelled
"""

STATUS_TABLES = {
    "batches": "batch",
    "cases": "case",
    "incidents": "incident",
    "approvals": "approval",
    "intents": "intent",
    "attempts": "attempt",
    "notices": "notice",
    "promises": "promise",
}

APPEND_ONLY = ("verdicts", "observations", "postings")


def upgrade() -> None:
    transitions = sa.table("transitions", sa.column("entity"), sa.column("from_status"), sa.column("to_status"))
    rows = []
    for line in TRANSITIONS.strip().splitlines():
        entity, _, steps = line.partition(":")
        for step in steps.split():
            before, _, after = step.partition(">")
            rows.append({"entity": entity, "from_status": before, "to_status": after})
    op.bulk_insert(transitions, rows)

    op.execute("""
        create function enforce_transition() returns trigger language plpgsql as $$
        declare before text := case when tg_op = 'INSERT' then 'new' else old.status end;
        begin
            if tg_op = 'UPDATE' and old.status = new.status then
                return new;
            end if;
            if not exists (
                select from transitions t
                where t.entity = tg_argv[0] and t.from_status = before and t.to_status = new.status
            ) then
                raise exception 'a % may not go from % to %', tg_argv[0], before, new.status
                    using errcode = 'check_violation', table = tg_table_name;
            end if;
            return new;
        end $$
    """)
    for table, entity in STATUS_TABLES.items():
        op.execute(f"""
            create trigger enforce_transition before insert or update of status on {table}
            for each row execute function enforce_transition('{entity}')
        """)

    op.execute("""
        create function refuse_change() returns trigger language plpgsql as $$
        begin
            raise exception 'rows of % are never changed or removed', tg_table_name using errcode = 'check_violation';
        end $$
    """)
    for table in APPEND_ONLY:
        op.execute(f"""
            create trigger refuse_change before update or delete on {table}
            for each row execute function refuse_change()
        """)
        op.execute(f"""
            create trigger refuse_truncate before truncate on {table}
            for each statement execute function refuse_change()
        """)

    # An audit row takes its place in the chain once; nothing else about it ever changes.
    op.execute("""
        create function audit_is_append_only() returns trigger language plpgsql as $$
        begin
            if tg_op = 'UPDATE' and old.chain_hash is null and new.chain_hash is not null
               and (to_jsonb(old) - 'chain_hash' - 'chain_position') = (to_jsonb(new) - 'chain_hash' - 'chain_position')
            then
                return new;
            end if;
            raise exception 'rows of audit are never changed or removed' using errcode = 'check_violation';
        end $$
    """)
    op.execute("""
        create trigger audit_is_append_only before update or delete on audit
        for each row execute function audit_is_append_only()
    """)
    op.execute("""
        create trigger refuse_truncate before truncate on audit
        for each statement execute function refuse_change()
    """)

    op.execute("""
        create function watermark_goes_forward() returns trigger language plpgsql as $$
        begin
            if old.watermark is not null and (new.watermark is null or new.watermark < old.watermark) then
                raise exception 'the watermark of feed % may not move back from % to %', old.feed, old.watermark, new.watermark
                    using errcode = 'check_violation';
            end if;
            return new;
        end $$
    """)
    op.execute("""
        create trigger watermark_goes_forward before update of watermark on feeds
        for each row execute function watermark_goes_forward()
    """)

    # Invariants 3 and 4: what was decided to be sent is fixed before it is sent, and for ever.
    op.execute("""
        create function attempt_is_fixed() returns trigger language plpgsql as $$
        begin
            if new.payload is distinct from old.payload or new.payload_sha256 <> old.payload_sha256
               or new.intent_id <> old.intent_id or new.number <> old.number then
                raise exception 'the payload of attempt % is fixed', old.attempt_id using errcode = 'check_violation';
            end if;
            return new;
        end $$
    """)
    op.execute(
        "create trigger attempt_is_fixed before update on attempts for each row execute function attempt_is_fixed()"
    )
    op.execute("""
        create function intent_is_fixed() returns trigger language plpgsql as $$
        begin
            if (new.case_id, new.component, new.account, new.asset, new.amount_minor)
               is distinct from (old.case_id, old.component, old.account, old.asset, old.amount_minor) then
                raise exception 'what intent % pays, and to whom, is fixed', old.intent_id using errcode = 'check_violation';
            end if;
            return new;
        end $$
    """)
    op.execute(
        "create trigger intent_is_fixed before update on intents for each row execute function intent_is_fixed()"
    )
