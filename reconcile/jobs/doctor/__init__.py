"""Checks the configuration against the running world, and says how soon a missing credit can be noticed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from reconcile.config import ConfigurationError, Delay, Feed, Flow, Snapshot
from reconcile.feeds.inbox import UnreachableError
from reconcile.feeds.sql.examination import examine_source
from reconcile.jobs.doctor.finding import Finding, Level
from reconcile.jobs.doctor.links import examine_alerts, examine_channels, examine_scheduling, examine_secrets
from reconcile.jobs.doctor.places import examine_disks, examine_lake, examine_place, examine_reading
from reconcile.jobs.world import World
from reconcile.remedy import modes
from reconcile.remedy.gsma import GsmaGateway
from reconcile.store import audit, migrate
from reconcile.store.database import DatabaseUnavailableError, SchemaError
from reconcile.store.tables import batches, breakers, feeds, quarantine

CLOCK_TOLERANCE: Final = timedelta(seconds=5)
SCHEDULE_INTERVAL: Final = timedelta(minutes=5)
"""How often the DAG `feeds` runs unless `[airflow] schedules` says otherwise."""


_START_IT: Final = (
    "the embedded server runs while `reconcile run` does: start that, or name a server of your own in [store] url"
)
_REACH_IT: Final = "start the server, or mend [store] url, password, or what lies between it and this machine"


def examine(world: World) -> list[Finding]:
    """Looks at everything that the configuration names; never raises for what it finds."""
    findings = [*_database(world)]
    if any(finding.level == "failure" for finding in findings):
        return findings
    for flow in world.configuration.flows:
        findings += _flow(world, flow)
    findings += _feeds(world)
    findings += [
        *examine_lake(world),
        *examine_disks(world),
        *examine_channels(world),
        *examine_alerts(world.configuration),
        *examine_secrets(world.configuration),
        *examine_scheduling(world),
    ]
    return findings


def earliest_notice(world: World, flow: Flow) -> timedelta:
    """How long after its confirmation a missing credit can be noticed at the earliest."""
    delays = [_lag(feed) for feed in world.configuration.feeds if feed.flow == flow.name]
    return flow.rules.deadline_after + max(delays, default=timedelta(0)) + SCHEDULE_INTERVAL


def _lag(feed: Feed) -> timedelta:
    """How far the watermark of a feed stays behind, when all is well."""
    match feed.completeness:
        case Delay(delay=lag) | Snapshot(commit_lag=lag):
            return lag
    return timedelta(0)


def _database(world: World) -> Iterator[Finding]:
    try:
        world.database.check()
    except DatabaseUnavailableError as error:
        embedded = world.configuration.store.url == "embedded"
        yield Finding("database", "failure", str(error), _START_IT if embedded else _REACH_IT)
        return
    with world.database.begin() as connection:
        try:
            migrate.require(connection)
        except SchemaError as error:
            yield Finding("schema", "failure", str(error))
            return
        current, _ = migrate.revisions(connection)
        yield Finding("database", "ok", f"reachable, schema at revision {current}")
        skew: timedelta = connection.execute(sa.text("select clock_timestamp()")).scalar_one() - datetime.now(UTC)
        if abs(skew) > CLOCK_TOLERANCE:
            side = "ahead of" if skew > timedelta(0) else "behind"
            text = f"PostgreSQL's clock is {abs(skew).total_seconds():.0f} s {side} this machine's"
            yield Finding("clock", "warning", text, "keep both with NTP: leases and time-outs rest on it")
        try:
            yield Finding("audit", "ok", f"{audit.verify(connection)} sealed rows, the chain verifies")
        except audit.AuditBrokenError as error:
            yield Finding("audit", "failure", str(error))


def _flow(world: World, flow: Flow) -> Iterator[Finding]:
    subject = f"flow {flow.name}"
    yield Finding(
        subject, "ok", f"a missing credit is noticed {_words(earliest_notice(world, flow))} after its confirmation"
    )
    if flow.since > world.clock.now():
        yield Finding(
            subject, "warning", f"nothing is judged before {flow.since:%Y-%m-%d %H:%M}Z, which is still to come"
        )
    configured = modes.Limits.of(flow, world.configuration.policy(flow.name))
    with world.database.begin() as connection:
        mode = modes.read(connection, flow.name)
        breaker = connection.execute(
            sa.select(breakers.c.open).where(breakers.c.flow == flow.name)
        ).scalar_one_or_none()
    if mode is None:
        yield Finding(subject, "failure", "no mode was ever activated, so it is stopped: run `reconcile migrate`")
    elif mode.name != flow.mode or mode.limits != configured:
        yield Finding(
            subject, "warning", f"in force: {mode.name}; the file says {flow.mode}: `reconcile activate` changes it"
        )
    else:
        yield Finding(subject, "ok", f"mode {mode.name}, policy {mode.policy_version}")
    if breaker is not None:
        yield Finding(subject, "warning", f"the breaker is open: {breaker}")
    yield from _gateway(world, flow)


def _gateway(world: World, flow: Flow) -> Iterator[Finding]:
    section = world.configuration.gateways.get(flow.name)
    subject = f"gateway {flow.name}"
    if section is None:
        yield Finding(subject, "warning", "none is configured: cases are found and shown, nothing is paid")
        return
    try:
        gateway = GsmaGateway(section)
    except ConfigurationError as error:
        yield Finding(subject, "failure", str(error))
        return
    try:
        if gateway.available():
            yield Finding(subject, "ok", "answers, and is available")
        else:
            yield Finding(subject, "failure", f"{section.url}: does not answer that it is available")
    finally:
        gateway.close()


def _feeds(world: World) -> Iterator[Finding]:
    with world.database.begin() as connection:
        known = {row.feed: row for row in connection.execute(sa.select(feeds))}
        refused = _counts(connection, batches.c.feed, batches.c.status == "refused")
        held = _counts(connection, quarantine.c.feed, quarantine.c.status == "held")
    for feed in world.configuration.feeds:
        subject = f"feed {feed.name}"
        yield from _source(world, feed) if feed.reader == "sql" else examine_place(world.configuration, feed)
        yield from examine_reading(world.configuration, feed)
        row = known.get(feed.name)
        if row is None:
            place = "its database" if feed.reader == "sql" else feed.location
            yield Finding(subject, "warning", f"nothing has arrived yet from {place}")
            continue
        complete = (
            f"complete up to {row.watermark:%Y-%m-%d %H:%M:%S}Z ({row.grade})" if row.watermark else "no watermark"
        )
        level: Level = "warning" if refused.get(feed.name) or row.watermark is None else "ok"
        yield Finding(
            subject,
            level,
            f"{complete}; {refused.get(feed.name, 0)} batches refused, {held.get(feed.name, 0)} rows held",
        )


def _source(world: World, feed: Feed) -> Iterator[Finding]:
    subject = f"feed {feed.name}"
    try:
        for remark in examine_source(world.configuration, feed, world.clock.now()):
            yield Finding(subject, "warning" if remark.is_warning else "ok", remark.text)
    except (ConfigurationError, UnreachableError) as error:
        yield Finding(subject, "failure", str(error))


def _counts(connection: sa.Connection, column: sa.Column[str], condition: sa.ColumnElement[bool]) -> dict[str, int]:
    rows = connection.execute(sa.select(column, sa.func.count()).where(condition).group_by(column))
    return dict(rows.all())


def _words(duration: timedelta) -> str:
    minutes = int(duration.total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"
