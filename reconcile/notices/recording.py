"""Writing down what became of notices that were sent, and the second channel for what is proven not to have arrived."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from reconcile.config import Flow
from reconcile.notices import planning
from reconcile.notices.claiming import Ready
from reconcile.notices.event import kind_of
from reconcile.notices.facts import Facts
from reconcile.notices.outcome import Fate, Outcome
from reconcile.notices.planning import Channel, other
from reconcile.store.tables import cases, notices

TRIES_MAX: Final = 5
"""How often a channel may turn a notice away for the time being before it has failed there."""

_STATUS: Final = {
    Fate.SUBMITTED: "submitted",
    Fate.REFUSED: "failed",
    Fate.DEFERRED: "planned",
    Fate.UNTOUCHED: "planned",
    Fate.UNCERTAIN: "uncertain",
}

_RECORD: Final = sa.text("""
    update notices n
    set status = case when v.status = 'planned' and n.tries + v.tried >= :tries_max then 'failed' else v.status end,
        tries = n.tries + v.tried,
        provider_ids = v.provider_ids,
        reason = v.reason,
        submitted_at = case when v.status in ('submitted', 'uncertain') then cast(:now as timestamptz) end
    from jsonb_to_recordset(:rows) as v(id uuid, status text, tried int, provider_ids jsonb, reason text)
    where n.notice_id = v.id and n.status = 'submitting'
    returning n.notice_id, n.event, n.channel, n.status
""").bindparams(sa.bindparam("rows", type_=JSONB))


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was written down. `failed` are the notices that will not be tried again on their channel."""

    counts: Counter[str]
    failed: tuple[UUID, ...]


def record(connection: sa.Connection, sent: Sequence[tuple[Ready, Outcome]], *, now: datetime) -> Recorded:
    """Moves claimed rows on by what became of them.

    A row that is no longer `submitting` was given up for lost by another sender: it stays `uncertain`, and is not counted.
    """
    values = [
        {
            "id": str(ready.notice_id),
            "status": _STATUS[outcome.fate],
            "tried": int(outcome.fate is not Fate.UNTOUCHED),
            "provider_ids": list(outcome.provider_ids),
            "reason": outcome.reason,
        }
        for ready, outcome in sent
    ]
    if not values:
        return Recorded(Counter(), ())
    rows = connection.execute(_RECORD, {"rows": values, "now": now, "tries_max": TRIES_MAX}).all()
    return Recorded(
        counts=Counter(f"{kind_of(row.event)}.{row.channel}.{row.status}" for row in rows),
        failed=tuple(row.notice_id for row in rows if row.status == "failed"),
    )


def suppress(connection: sa.Connection, case_ids: Sequence[UUID], reason: str) -> int:
    """Takes back what is planned to be said about these cases and has not gone out; returns how many notices."""
    rows = sa.update(notices).where(
        notices.c.status == "planned", notices.c.case_id == sa.any_(sa.literal(list(case_ids), sa.ARRAY(sa.Uuid)))
    )
    return connection.execute(rows.values(status="suppressed", reason=reason)).rowcount


def give_up_channel(connection: sa.Connection, channel: Channel) -> tuple[UUID, ...]:
    """Suppresses the planned rows of a channel that is not configured; returns them, for the other channel."""
    rows = sa.update(notices).where(notices.c.status == "planned", notices.c.channel == channel)
    return tuple(
        connection.execute(
            rows.values(status="suppressed", reason=f"no {channel} channel is configured").returning(
                notices.c.notice_id
            )
        ).scalars()
    )


def fall_back(connection: sa.Connection, failed: Sequence[UUID], *, flows: Mapping[str, Flow], now: datetime) -> int:
    """Plans on the other channel what is proven not to have reached its customer; returns how many rows are new.

    Never back to a channel that had its turn: there is one row per case, event and channel.
    """
    if not failed:
        return 0
    query = sa.select(notices, cases.c.flow).join(cases, cases.c.case_id == notices.c.case_id)
    rows = connection.execute(query.where(notices.c.notice_id.in_(failed), cases.c.flow.in_(list(flows)))).all()
    facts = {row.notice_id: Facts.read(row.facts) for row in rows}
    found = planning.contacts(connection, [fact.payer for fact in facts.values() if fact.payer is not None])
    second = []
    for row in rows:
        fact = facts[row.notice_id]
        contact, channel = found[fact.payer], other(row.channel)
        if not contact.opted_out and (recipient := contact.recipient(channel)) is not None:
            flow = flows[row.flow]
            second.append(planning.row(row.case_id, row.event, fact, channel, recipient, contact, flow, now))
    return planning.insert(connection, second)
