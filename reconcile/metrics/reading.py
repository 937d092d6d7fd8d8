"""All figures of one moment, from one read-only transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from reconcile.metrics.catalogue import METRICS, PREFIX, Metric
from reconcile.resources import text
from reconcile.store.database import Database

QUERY_LIMIT_SECONDS: Final = 5
"""For each query. A monitor that asks for figures must not keep a busy database busy."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one series. `attributes` carry the prefix."""

    metric: Metric
    attributes: Mapping[str, str]
    value: int | float


def read(database: Database, now: datetime) -> list[Point]:
    """Every point there is at the business time `now`; what has no value yet is left out."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    with database.begin() as connection:
        connection.execute(sa.text("set transaction isolation level repeatable read, read only"))
        connection.execute(sa.text(f"set local statement_timeout = '{QUERY_LIMIT_SECONDS}s'"))
        for name in sorted({metric.query for metric in METRICS}):
            statement = sa.text(text(f"sql/metrics/{name}.sql"))
            values = {"now": now} if ":now" in statement.text else {}
            found[name] = [dict(row) for row in connection.execute(statement, values).mappings()]
    return [point for metric in METRICS for point in _points(metric, found[metric.query])]


def _points(metric: Metric, rows: Iterable[Mapping[str, Any]]) -> list[Point]:
    return [
        Point(metric, _attributes(metric, row), row[metric.column])
        for row in rows
        if row[metric.column] is not None and all(row[column] in values for column, values in metric.only)
    ]


def _attributes(metric: Metric, row: Mapping[str, Any]) -> dict[str, str]:
    named = {name: str(row[name]) for name in metric.attributes} | dict(metric.fixed)
    return {f"{PREFIX}{name}": value for name, value in sorted(named.items())}
