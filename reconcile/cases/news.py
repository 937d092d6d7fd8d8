"""What there is to tell customers, and the promise of the next news that each telling makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.cases import bulk
from reconcile.cases.dispositions import Decided
from reconcile.domain import ids
from reconcile.domain.breaks import BreakKind
from reconcile.domain.policy import ON_ITS_WAY, TOLD, Disposition
from reconcile.store.tables import cases, intents, notices, promises, verdicts

NEWS_BY: Final = "news_by"
NEWS_MARGIN: Final = timedelta(minutes=10)
"""How long before a promise runs out the next news is planned: two runs of five minutes."""


@dataclass(frozen=True, slots=True)
class News:
    """One event of one case, as the customer is to be told it; see `notices.event`. `next_news_at` makes a promise."""

    case_id: UUID
    name: str
    facts: dict[str, Any]

    @property
    def next_news_at(self) -> datetime | None:
        due: datetime | None = self.facts.get("next_news_at")
        return due


def gather(
    connection: sa.Connection,
    *,
    flow: str,
    now: datetime,
    news_every: timedelta,
    decided: Sequence[Decided],
    closed: Sequence[UUID],
) -> list[News]:
    """All that is to be told now: how it ended, that it takes longer, that something is missing.

    `closed`: cases that this run closed; they are told that it ended also when they were never told that it began, unless
    that is old news.
    """
    ended = _ended(connection, flow, closed, now - news_every)
    told = _told(connection, [one.case_id for one in decided if one.decision.tell])
    next_news_at = now + news_every
    detected = [
        News(one.case_id, "detected", _facts(one.case, one.case.owed_minor, next_news_at=next_news_at))
        for one in decided
        if one.decision.tell and one.case_id not in told
    ]
    return [*ended, *_delayed(connection, flow, now, next_news_at), *detected]


def record(connection: sa.Connection, news: Sequence[News], *, now: datetime) -> None:
    """After the notices are planned: promises that this news keeps (or comes too late for) end, new ones begin.

    A customer whose notice was suppressed has been promised nothing.
    """
    case_ids = [one.case_id for one in news]
    if not case_ids:
        return
    _end(connection, case_ids, now)
    spoken = connection.execute(
        sa.select(notices.c.case_id, notices.c.event).where(
            bulk.among(notices.c.case_id, case_ids), notices.c.status != "suppressed"
        )
    )
    heard = {(row.case_id, row.event) for row in spoken}
    before = _numbers(connection, case_ids)
    rows = [
        {
            "promise_id": ids.derive("promise", str(one.case_id), NEWS_BY, str(before.get(one.case_id, 0) + 1)),
            "case_id": one.case_id,
            "kind": NEWS_BY,
            "status": "open",
            "from_at": now,
            "due_at": one.next_news_at,
            "made_at": now,
        }
        for one in news
        if one.next_news_at is not None and (one.case_id, one.name) in heard
    ]
    if rows:
        connection.execute(sa.insert(promises), rows)


def cancel_pointless(connection: sa.Connection, *, flow: str, now: datetime) -> None:
    """Promises about purchases that were taken back, or turned out to be part of another: there is no news to give."""
    mine = sa.select(cases.c.case_id).where(cases.c.flow == flow, cases.c.status == "closed")
    connection.execute(
        sa.update(promises)
        .where(promises.c.kind == NEWS_BY, promises.c.status == "open", promises.c.case_id.in_(mine))
        .values(status="cancelled", ended_at=now)
    )


def _ended(connection: sa.Connection, flow: str, closed: Sequence[UUID], since: datetime) -> list[News]:
    """Cases that have what was confirmed, and whose customers wait for news, or were made whole just now."""
    waits = sa.exists().where(
        promises.c.case_id == cases.c.case_id, promises.c.status == "open", promises.c.kind == NEWS_BY
    )
    was_short = sa.or_(verdicts.c.own_minor > 0, cases.c.kind == BreakKind.LATE_CREDIT)
    query = (
        sa.select(cases, verdicts.c.own_minor)
        .join(verdicts, (verdicts.c.case_id == cases.c.case_id) & (verdicts.c.version == cases.c.version))
        .where(
            cases.c.flow == flow,
            cases.c.owed_minor <= 0,
            cases.c.confirmed_minor > 0,
            verdicts.c.credited_minor + verdicts.c.own_minor >= cases.c.confirmed_minor,
            cases.c.credited_at.is_not(None),
            sa.or_(waits, was_short & bulk.among(cases.c.case_id, closed) & (cases.c.credited_at >= since)),
        )
        .order_by(cases.c.case_id)
    )
    return [
        News(row.case_id, "credited", _facts(row, min(row.own_minor, row.confirmed_minor), credited_at=row.credited_at))
        if row.own_minor > 0
        else News(row.case_id, "self_settled", _facts(row, row.confirmed_minor, credited_at=row.credited_at))
        for row in connection.execute(query)
    ]


def _delayed(connection: sa.Connection, flow: str, now: datetime, next_news_at: datetime) -> list[News]:
    """Open cases whose promised news is nearly due; nothing is said while our credit may be on its way, or in doubt."""
    paying = sa.exists().where(
        intents.c.case_id == cases.c.case_id, intents.c.status.in_((*ON_ITS_WAY, "verified", "escalated"))
    )
    made = promises.alias("made")
    number = (
        sa.select(sa.func.count()).where(made.c.case_id == cases.c.case_id, made.c.kind == NEWS_BY)
    ).scalar_subquery()
    query = (
        sa.select(cases, number.label("promised"))
        .join(promises, promises.c.case_id == cases.c.case_id)
        .where(
            promises.c.kind == NEWS_BY,
            promises.c.status == "open",
            promises.c.due_at <= now + NEWS_MARGIN,
            cases.c.flow == flow,
            cases.c.status == "open",
            cases.c.owed_minor > 0,
            cases.c.kind.in_(TOLD),
            cases.c.disposition != Disposition.REVIEW,
            ~paying,
        )
        .order_by(cases.c.case_id)
    )
    return [
        News(row.case_id, f"delayed:{row.promised}", _facts(row, row.owed_minor, next_news_at=next_news_at))
        for row in connection.execute(query)
    ]


def _told(connection: sa.Connection, case_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the cases that have a notice of any kind."""
    query = sa.select(notices.c.case_id).distinct().where(bulk.among(notices.c.case_id, case_ids))
    return set(connection.execute(query).scalars()) if case_ids else set()


def _end(connection: sa.Connection, case_ids: Sequence[UUID], now: datetime) -> None:
    for status, in_time in (("kept", promises.c.due_at >= now), ("broken", promises.c.due_at < now)):
        connection.execute(
            sa.update(promises)
            .where(
                promises.c.kind == NEWS_BY,
                promises.c.status == "open",
                bulk.among(promises.c.case_id, case_ids),
                in_time,
            )
            .values(status=status, ended_at=now)
        )


def _numbers(connection: sa.Connection, case_ids: Sequence[UUID]) -> dict[UUID, int]:
    query = (
        sa.select(promises.c.case_id, sa.func.count().label("made"))
        .where(promises.c.kind == NEWS_BY, bulk.among(promises.c.case_id, case_ids))
        .group_by(promises.c.case_id)
    )
    return {row.case_id: row.made for row in connection.execute(query)}


def _facts(case: sa.Row[Any], amount_minor: int, **more: datetime) -> dict[str, Any]:
    return {
        "confirmed_at": case.confirmed_at,
        "amount_minor": amount_minor,
        "asset": case.asset,
        "reference": case.reference,
        "account": case.account,
        "payer": case.payer,
        **more,
    }
