"""The facts of one business day, gathered once and written out in every form."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from reconcile.config import Flow
from reconcile.reports import statement
from reconcile.reports.curve import Minute, minutes_of
from reconcile.reports.lake_rows import files_of, lake_rows, match_files
from reconcile.reports.queries import rows_of
from reconcile.reports.statement import Statement
from reconcile.store.lake import Lake

CASES_MAX: Final = 200_000
"""Cases listed in a file; a day with more is a day whose list nobody reads, and its figures count them all."""

Rows = list[sa.Row[Any]]


@dataclass(frozen=True, slots=True)
class IncidentDay:
    """One incident (a row of `incidents.sql`) with its minutes; that of a feed has none."""

    row: sa.Row[Any]
    minutes: list[Minute]


@dataclass(frozen=True, slots=True)
class Wait:
    """How long credits took, in whole seconds. `by`: `operator` (all its credits), `original` (late ones), `recredit` (ours)."""

    by: str
    credited_count: int
    median_seconds: int
    p95_seconds: int
    p99_seconds: int
    worst_seconds: int


@dataclass(frozen=True, slots=True)
class FlowDay:
    """One flow on one business day. Rows are those of the queries in `sql/reports/` of the same names."""

    flow: Flow
    statements: list[Statement]
    breaks: Rows
    money: Rows
    waits: list[Wait]
    incidents: list[IncidentDay]
    notices: Rows
    promises: Rows
    feeds: Rows
    cases: Rows


@dataclass(frozen=True, slots=True)
class DayReport:
    """One business day of every flow. `made_at` is business time; `audit_head` the newest sealed row, or None."""

    day: date
    made_at: datetime
    flows: list[FlowDay]
    audit_head: sa.Row[Any] | None


def gather(connection: sa.Connection, lake: Lake, flows: tuple[Flow, ...], *, day: date, now: datetime) -> DayReport:
    """All facts of `day`, as one snapshot when the connection's transaction is one. `now` is business time."""
    statements = statement.of_day(connection, day)
    heads = rows_of(connection, "audit_head")
    return DayReport(
        day=day,
        made_at=now,
        flows=[
            _flow_day(connection, lake, flow, [one for one in statements if one.flow == flow.name], day, now)
            for flow in flows
        ],
        audit_head=heads[0] if heads else None,
    )


def bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The first instant of a business day in that zone, and the first one after it; both in UTC."""
    local = ZoneInfo(zone)
    begin, until = (datetime.combine(one, time.min, local) for one in (day, day + timedelta(days=1)))
    return begin.astimezone(UTC), until.astimezone(UTC)


def _flow_day(
    connection: sa.Connection, lake: Lake, flow: Flow, statements: list[Statement], day: date, now: datetime
) -> FlowDay:
    begin, until = bounds(day, flow.zone)
    values: dict[str, Any] = {"flow": flow.name, "begin": begin, "until": until}
    return FlowDay(
        flow=flow,
        statements=statements,
        breaks=rows_of(connection, "breaks", now=now, **values),
        money=rows_of(connection, "money", **values),
        waits=[*_operator_waits(connection, lake, **values), *_case_waits(connection, **values)],
        incidents=[
            IncidentDay(row, minutes_of(connection, lake, row, now=now) if row.kind == "credits" else [])
            for row in rows_of(connection, "incidents", **values)
        ],
        notices=rows_of(connection, "notices", **values),
        promises=rows_of(connection, "promises", **values),
        feeds=rows_of(connection, "feeds", **values),
        cases=rows_of(connection, "cases", rows_max=CASES_MAX, **values),
    )


def _operator_waits(
    connection: sa.Connection, lake: Lake, *, flow: str, begin: datetime, until: datetime
) -> list[Wait]:
    entries = files_of(connection, lake, flow=flow, side="ledger")
    matches = match_files(connection, lake, flow=flow)
    if not entries or not matches:
        return []
    files = files_of(connection, lake, flow=flow, side="confirmation")
    rows = lake_rows(lake, "waits", files, entries=entries, matches=matches, begin=begin, until=until)
    return [Wait("operator", **row) for row in rows if row["credited_count"]]


def _case_waits(connection: sa.Connection, **values: Any) -> list[Wait]:
    return [Wait(**row._mapping) for row in rows_of(connection, "waits", **values)]  # noqa: SLF001 - SQLAlchemy's public name
