"""Taking rows out of the outbox: in one transaction their facts are checked again, and their text is written and stored."""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from reconcile.config import Flow
from reconcile.notices import gsm
from reconcile.notices.event import kind_of
from reconcile.notices.facts import Facts
from reconcile.notices.planning import Channel
from reconcile.notices.standing import Answer, Standing, decide
from reconcile.notices.writing import Mail, Sms, language_for, write_mail, write_sms
from reconcile.store import accounts
from reconcile.store.tables import breakers, cases, directory, flow_modes, intents, notices, runs

Place = tuple[datetime, UUID]
"""Where a row stands in the outbox: when it was planned, and its id."""

_SUPPRESS: Final = sa.text("""
    update notices n set status = 'suppressed', reason = v.reason
    from jsonb_to_recordset(:rows) as v(id uuid, reason text)
    where n.notice_id = v.id and n.status = 'planned'
""").bindparams(sa.bindparam("rows", type_=JSONB))

_SUBMIT: Final = sa.text("""
    update notices n set status = 'submitting', text = v.text, parts = v.parts, reason = null
    from jsonb_to_recordset(:rows) as v(id uuid, text text, parts int)
    where n.notice_id = v.id and n.status = 'planned'
""").bindparams(sa.bindparam("rows", type_=JSONB))


@dataclass(frozen=True, slots=True)
class Ready:
    """A notice that is claimed: to be handed to its channel now."""

    notice_id: UUID
    event: str
    recipient: str
    language: str
    message: Sms | Mail


@dataclass(frozen=True, slots=True)
class Page:
    """One look at the outbox. `after` is where the next look goes on, None at the end."""

    ready: tuple[Ready, ...]
    counts: Counter[str]
    after: Place | None


def waiting(connection: sa.Connection) -> set[Channel]:
    """The channels for which a row is planned."""
    return {
        channel
        for channel in ("sms", "email")
        if connection.execute(
            sa.select(notices.c.notice_id).where(notices.c.status == "planned", notices.c.channel == channel).limit(1)
        ).first()
    }


def claim(
    connection: sa.Connection,
    *,
    channel: Channel,
    now: datetime,
    flows: Mapping[str, Flow],
    limit: int,
    after: Place | None,
) -> Page:
    """Looks at the next `limit` planned rows: what may be said becomes `submitting` with its text, what is superseded
    becomes `suppressed`, and the rest waits.
    """
    rows = connection.execute(_planned(channel, flows, limit, after)).all()
    ready, suppressed, counts = [], [], Counter[str]()
    silent = accounts.suppressed(connection, {row.facts["payer"] for row in rows if row.facts["payer"]})
    for row in rows:
        decision = decide(row.event, _standing(row, silent), now)
        notice = _written(row, flows[row.flow], channel, now) if decision.answer is Answer.SAY else None
        if notice is not None and _fits(notice):
            ready.append(notice)
        elif decision.answer is Answer.HOLD:
            counts[f"{kind_of(row.event)}.{channel}.held"] += 1
        else:
            reason = decision.reason if notice is None else "its text is longer than an SMS can be"
            suppressed.append({"id": str(row.notice_id), "reason": reason})
            counts[f"{kind_of(row.event)}.{channel}.suppressed"] += 1
    moved = [(_SUPPRESS, suppressed), (_SUBMIT, [_stored(notice) for notice in ready])]
    for statement, values in moved:
        if values:
            count = connection.execute(statement, {"rows": values}).rowcount
            assert count == len(values), "rows that are locked here were moved by somebody else"
    last = rows[-1] if len(rows) == limit else None
    return Page(tuple(ready), counts, (last.planned_at, last.notice_id) if last is not None else None)


def _planned(
    channel: Channel, flows: Mapping[str, Flow], limit: int, after: Place | None
) -> sa.Select[*tuple[Any, ...]]:
    newest = sa.select(runs.c.flow, sa.func.max(runs.c.as_of).label("known_at")).group_by(runs.c.flow).subquery()
    statuses = (
        sa.select(sa.func.array_agg(intents.c.status)).where(intents.c.case_id == notices.c.case_id).scalar_subquery()
    )
    query = (
        sa.select(
            *(notices.c[name] for name in ("notice_id", "event", "recipient", "language", "facts", "planned_at")),
            cases.c.flow,
            cases.c.status.label("case_status"),
            cases.c.owed_minor,
            cases.c.credited_at,
            statuses.label("intents"),
            flow_modes.c.mode,
            breakers.c.open.label("breaker"),
            newest.c.known_at,
            directory.c.opted_out,
        )
        .select_from(notices)
        .join(cases, cases.c.case_id == notices.c.case_id)
        .outerjoin(flow_modes, flow_modes.c.flow == cases.c.flow)
        .outerjoin(breakers, breakers.c.flow == cases.c.flow)
        .outerjoin(newest, newest.c.flow == cases.c.flow)
        .outerjoin(directory, directory.c.account == notices.c.facts["payer"].astext)
        .where(notices.c.status == "planned", notices.c.channel == channel, cases.c.flow.in_(list(flows)))
        .order_by(notices.c.planned_at, notices.c.notice_id)
        .limit(limit)
        .with_for_update(of=notices)
    )
    if after is None:
        return query
    return query.where(sa.tuple_(notices.c.planned_at, notices.c.notice_id) > sa.tuple_(*map(sa.literal, after)))


def _standing(row: Any, silent: AbstractSet[str]) -> Standing:
    return Standing(
        mode=row.mode,
        breaker=row.breaker,
        opted_out=bool(row.opted_out) or row.facts["payer"] in silent,
        case_status=row.case_status,
        owed_minor=row.owed_minor,
        credited_at=row.credited_at,
        intents=frozenset(row.intents or ()),
        known_at=row.known_at,
        planned_at=row.planned_at,
    )


def _written(row: Any, flow: Flow, channel: Channel, now: datetime) -> Ready:
    write = write_sms if channel == "sms" else write_mail
    language = language_for(row.language, flow)
    message = write(row.event, Facts.read(row.facts), flow=flow, language=language, now=now)
    return Ready(row.notice_id, row.event, row.recipient, language, message)


def _fits(notice: Ready) -> bool:
    return not isinstance(notice.message, Sms) or notice.message.parts <= gsm.PARTS_MAX


def _stored(notice: Ready) -> dict[str, Any]:
    """As the desk shows it: an SMS as it was sent, an e-mail as its subject above its plain text."""
    message = notice.message
    if isinstance(message, Sms):
        return {"id": str(notice.notice_id), "text": message.text, "parts": message.parts}
    return {"id": str(notice.notice_id), "text": f"{message.subject}\n\n{message.plain}", "parts": 1}
