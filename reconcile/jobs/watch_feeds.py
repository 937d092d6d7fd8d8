"""Which feeds of a flow have stopped, and what they wait for: from the feeds' tables to incidents of feeds."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.cases import feed_incidents
from reconcile.cases.feed_incidents import Stopped
from reconcile.config import Configuration, Feed, Flow, Numbering
from reconcile.domain.stall import FeedSight, stopped_since
from reconcile.feeds import ranges, watermark
from reconcile.store.tables import deliveries, feeds, job_runs

_NAMED: Final = 5
"""So many deliveries that hold a feed up are named; all are counted."""


def watch_feeds(connection: sa.Connection, configuration: Configuration, flow: Flow, now: datetime) -> list[UUID]:
    """Opens, updates and closes the incidents of the flow's feeds; returns those that it opened.

    A directory says nothing about purchases, so it can be as late as it likes.
    """
    watched = [feed for feed in configuration.feeds if feed.flow == flow.name and feed.side != "directory"]
    stopped = [found for feed in watched if (found := _stopped(connection, feed, flow, now)) is not None]
    return feed_incidents.watch(connection, flow=flow.name, stopped=stopped, now=now)


def _stopped(connection: sa.Connection, feed: Feed, flow: Flow, now: datetime) -> Stopped | None:
    heard_at = sa.select(sa.func.max(deliveries.c.seen_at)).where(deliveries.c.feed == feed.name).scalar_subquery()
    row = connection.execute(sa.select(feeds.c.watermark, heard_at).where(feeds.c.feed == feed.name)).one_or_none()
    complete_through, last_heard_at = row or (None, None)
    sight = FeedSight(complete_through, last_heard_at, feed.assumed_lag)
    since = stopped_since(sight, since=flow.since, stalls_after=feed.stalls_after, now=now)
    return None if since is None else Stopped(feed.name, feed.side, since, _waits(connection, feed))


def _waits(connection: sa.Connection, feed: Feed) -> dict[str, Any]:
    """`unproven`: deliveries that are refused, unjudged, or hold a row that could be anybody's; `waiting`: how many lay there
    incomplete when the feed was looked into last, at `looked_at`; `gaps`: numbers that are missing.
    """
    unproven = sorted(watermark.unproven(connection, feed.name))
    latest = (
        sa.select(job_runs.c.business_time, job_runs.c.counts)
        .where(job_runs.c.job == "take_feed", job_runs.c.subject == feed.name)
        .order_by(job_runs.c.job_run_id.desc())
        .limit(1)
    )
    looked = connection.execute(latest).one_or_none()
    numbering = feed.completeness
    gaps = ranges.gaps(connection, feed, numbering) if isinstance(numbering, Numbering) else []
    return {
        "unproven": unproven[:_NAMED],
        "unproven_count": len(unproven),
        "waiting": looked.counts.get("waiting", 0) if looked else 0,
        "gaps": gaps[:_NAMED],
        "looked_at": looked.business_time.isoformat() if looked else None,
    }
