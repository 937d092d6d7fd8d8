"""Writes the page that says what deliveries and folds are held to, and what broke it lately."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from reconcile import resources
from reconcile.feeds import gate, quarantine
from reconcile.feeds.side import SUITES
from reconcile.jobs.world import World
from reconcile.reports import expectation_page
from reconcile.reports.expectation_page import Examined, Suite
from reconcile.store.tables import batches, runs

LATELY: Final = timedelta(days=7)
"""How far back the page counts."""
_EXAMINED: Final = ("published", "refused", "withdrawn")

_Broken = Mapping[str, Mapping[str, int]]


def write_expectations(world: World, folder: Path) -> Path:
    """Writes `index.html` into the folder; returns its path."""
    now = world.clock.now()
    since = now - LATELY
    with world.database.begin() as connection:
        suites = [_suite(connection, name, since) for name in gate.SUITES]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "index.html"
    file.write_text(expectation_page.page(suites, now=now, since=since), encoding="utf-8")
    return file


def _suite(connection: sa.Connection, name: str, since: datetime) -> Suite:
    match name:
        case "delivery":
            counts, broken, examined = "deliveries refused", _refused(connection, since), _deliveries(connection)
        case "fold":
            counts, broken, examined = "runs refused", {}, _runs(connection)
        case _:
            sides = [side for side, suite in SUITES.items() if suite == name]
            counts, broken = "rows kept back", _by_expectation(quarantine.count_since(connection, sides, since))
            examined = _rows(connection, sides)
    content = json.loads(resources.text(f"expectations/{name}.json"))["expectations"]
    return Suite(
        name,
        counts,
        [expectation_page.expectation(one, broken.get(one["meta"]["name"], {})) for one in content],
        examined,
    )


def _by_expectation(by_feed: Mapping[str, Mapping[str, int]]) -> _Broken:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for feed, counts in by_feed.items():
        for name, rows in counts.items():
            found[name][feed] = rows
    return found


def _refused(connection: sa.Connection, since: datetime) -> _Broken:
    name = sa.func.unnest(batches.c.broken).label("name")
    each = sa.select(batches.c.feed, name).where(batches.c.landed_at >= since).subquery()
    query = sa.select(each.c.feed, each.c.name, sa.func.count().label("times")).group_by(each.c.feed, each.c.name)
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(query.order_by(each.c.feed)):
        found[row.name][row.feed] = row.times
    return found


def _newest(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[sa.Row[Any]]:
    """The newest examined batch of each feed."""
    query = sa.select(batches).ext(distinct_on(batches.c.feed)).where(batches.c.status.in_(_EXAMINED), *conditions)
    return list(connection.execute(query.order_by(batches.c.feed, batches.c.landed_at.desc(), batches.c.batch_id)))


def _rows(connection: sa.Connection, sides: list[str]) -> list[Examined]:
    found = _newest(connection, batches.c.side.in_(sides), batches.c.status != "refused")
    return [
        Examined(
            f"{row.feed}: {row.source}",
            row.landed_at,
            row.raw_rows - row.out_of_scope_rows,
            row.quarantined_rows,
            f"{row.published_rows:,} published, {row.duplicate_rows:,} duplicate",
        )
        for row in found
    ]


def _deliveries(connection: sa.Connection) -> list[Examined]:
    return [
        Examined(
            f"{row.feed}: {row.source}",
            row.landed_at,
            row.raw_rows,
            len(row.broken or ()) if row.status == "refused" else 0,
            row.status if row.reason is None else f"{row.status}: {row.reason}",
        )
        for row in _newest(connection)
    ]


def _runs(connection: sa.Connection) -> list[Examined]:
    query = sa.select(runs).ext(distinct_on(runs.c.flow)).order_by(runs.c.flow, runs.c.sequence.desc())
    return [
        Examined(f"{row.flow}: run {row.sequence}", row.as_of, row.new_rows, 0, "published")
        for row in connection.execute(query)
    ]
