"""One step of a feed: what it has delivered since becomes batches, and its watermark moves as far as they prove."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from reconcile.config import Feed
from reconcile.feeds import manifest, watermark
from reconcile.feeds.inbox import Inbox
from reconcile.feeds.landing import Landing, NotYet
from reconcile.feeds.limits import DEFAULT_LIMITS, DELIVERIES_PER_RUN, Limits
from reconcile.feeds.publishing import Publisher
from reconcile.feeds.side import side_of
from reconcile.jobs.world import JobRun, World
from reconcile.store.database import Database


def take_feed(world: World, feed_name: str, *, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """Takes what a feed has delivered; returns the ids of the batches that were published or refused.

    A delivery that cannot be taken is refused and does not hold up the next one. Running it again, or two at once, changes
    nothing. Where the program itself fails on a delivery, the others are taken first; then an `ExceptionGroup` says so, and
    the next run tries again.
    """
    feed = world.configuration.feed(feed_name)
    with world.job("take_feed", feed.name) as run, _alone(world.database, feed):
        with world.database.begin() as connection:
            manifest.register(connection, feed, run.now)
        waiting, refused = _land(world, feed, run, limits)
        judged = _judge(world, feed, run, waiting, limits)
        with world.database.begin() as connection:
            watermark.advance(connection, feed, waiting, run.now)
    return refused + judged


def _land(world: World, feed: Feed, run: JobRun, limits: Limits) -> tuple[list[str], list[str]]:
    """Copies what is complete and new into the lake; returns the names of deliveries that are not complete, and the batches
    that were refused because they could not be copied.
    """
    inbox = Inbox(world.configuration, feed)
    listing = inbox.list()
    refused: list[str] = []
    with world.database.begin() as connection:
        names = [*(delivery.source for delivery in listing.ready), *(begun.source for begun in listing.begun)]
        known = manifest.seen(connection, feed.name, names)
    waiting = [begun.source for begun in listing.begun if not begun.is_left_over(known)]
    fresh = [delivery for delivery in listing.ready if (delivery.source, delivery.mark) not in known]
    landing = Landing(world.database, world.lake, inbox, feed, limits, run.now)
    for delivery in fresh[:DELIVERIES_PER_RUN]:
        with tempfile.TemporaryDirectory(prefix="reconcile-feed-") as scratch:
            try:
                batch_id = landing.land(delivery, Path(scratch))
            except NotYet:
                waiting.append(delivery.source)
            else:
                refused.extend([str(batch_id)] if batch_id else [])
    waiting.extend(delivery.source for delivery in fresh[DELIVERIES_PER_RUN:])
    run.counts.update(waiting=len(waiting), refused=len(refused))
    return waiting, refused


def _judge(world: World, feed: Feed, run: JobRun, waiting: list[str], limits: Limits) -> list[str]:
    """Publishes or refuses every batch that was landed, also by a run that was killed before it could."""
    with world.database.begin() as connection:
        landed = manifest.unjudged(connection, feed)
    if not landed:
        return []
    publisher = Publisher(
        database=world.database,
        lake=world.lake,
        feed=feed,
        flow=world.configuration.flow(feed.flow),
        side=side_of(world.configuration, feed),
        limits=limits,
        now=run.now,
        waiting=waiting,
    )
    verdicts: Counter[str] = Counter()
    judged, failures = [], []
    for batch in landed:
        try:
            verdicts[publisher.judge(batch)] += 1
        except Exception as error:  # noqa: BLE001 - raised below, after the deliveries that it must not hold up
            failures.append(error)
        else:
            judged.append(str(batch.batch_id))
    run.counts["published"] = verdicts["published"]
    run.counts["refused"] += verdicts["refused"]
    if failures:
        raise ExceptionGroup(
            f"feed {feed.name}: {len(failures)} of {len(landed)} deliveries could not be judged", failures
        )
    return judged


class FeedBusyError(RuntimeError):
    """Another worker has been taking this feed for longer than the database's lock timeout. Run the job again later."""


@contextmanager
def _alone(database: Database, feed: Feed) -> Iterator[None]:
    """Waits until no other worker takes this feed, so that the two do not do the same work. Raises `FeedBusyError`."""
    key = sa.func.hashtextextended(sa.func.concat("take_feed/", sa.func.current_schema(), "/", feed.name), 0)
    with database.begin() as connection:
        try:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
        except OperationalError as error:
            raise FeedBusyError(f"another worker is still taking the feed {feed.name}") from error
        yield
