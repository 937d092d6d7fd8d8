"""What needs a person at this moment, read from the state of cases, money and jobs."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reconcile.alerts.alert import Alert
from reconcile.config import Alerts
from reconcile.resources import text


def current(connection: sa.Connection, settings: Alerts, now: datetime) -> list[Alert]:
    """All of it, at the business time `now`."""
    return [
        *map(_incident, _rows(connection, "incidents")),
        *map(_breaker, _rows(connection, "breakers")),
        *map(_unknown, _rows(connection, "attempts", before=now - settings.unknown_after)),
        *(alert for row in _rows(connection, "jobs", failures=settings.job_failures) for alert in _job(row, settings)),
    ]


def _incident(row: sa.Row[Any]) -> Alert:
    since = f"since {_moment(row.started_at)}"
    if row.kind == "feed":
        said = f"the feed {row.feed} has stopped: no purchase is judged past what it delivered, {since}"
    else:
        said = f"{row.case_count} purchases are not credited, {row.owed_minor} minor units of {row.asset}, {since}"
    kind = "feed stopped" if row.kind == "feed" else "incident"
    return Alert(f"incident:{row.number}", kind, row.feed or row.flow, row.status, said, row.started_at)


def _breaker(row: sa.Row[Any]) -> Alert:
    return Alert(
        key=f"breaker:{row.flow}:{row.changed_at:%Y%m%dT%H%M%S}",
        kind="breaker opened",
        subject=row.flow,
        stage="open",
        text=f"nothing is paid and nobody is told anything until two people close it: {row.reason}",
        since=row.changed_at,
    )


def _unknown(row: sa.Row[Any]) -> Alert:
    return Alert(
        key=f"unknown:{row.flow}",
        kind="attempts unknown",
        subject=row.flow,
        stage="open",
        text=f"of {row.attempt_count} calls to the gateway nobody knows what became; the oldest is of {_moment(row.oldest_at)}",
        since=row.oldest_at,
    )


def _job(row: sa.Row[Any], settings: Alerts) -> Iterator[Alert]:
    name = f"{row.job} {row.subject}".strip()
    if row.violated_at is not None:
        yield Alert(
            key=f"invariant:{row.job}:{row.subject}:{row.violated_at:%Y%m%dT%H%M%S}",
            kind="invariant violated",
            subject=name,
            stage="open",
            text=f"{row.last_error}: the money of this flow is stopped; look at the log of {_moment(row.violated_at)}",
            since=row.violated_at,
        )
    if row.failed_in_a_row >= settings.job_failures:
        yield Alert(
            key=f"job:{row.job}:{row.subject}",
            kind="job fails",
            subject=name,
            stage="open",
            text=f"failed {row.failed_in_a_row} times in a row, with {row.last_error}",
            since=row.last_failed_at,
        )


def _rows(connection: sa.Connection, name: str, **values: Any) -> list[sa.Row[Any]]:
    return list(connection.execute(sa.text(text(f"sql/alerts/{name}.sql")), values))


def _moment(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}Z"
