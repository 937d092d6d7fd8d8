"""One step of a feed: what it has delivered since becomes batches, and its watermark moves as far as they prove."""

from collections import Counter

from reconcile.config import Feed
from reconcile.feeds import manifest, watermark
from reconcile.feeds.arrivals import arrivals
from reconcile.feeds.inbox import Inbox
from reconcile.feeds.landing import Landing, NotYet
from reconcile.feeds.limits import DEFAULT_LIMITS, DELIVERIES_PER_RUN, Limits
from reconcile.feeds.numbering import order_of
from reconcile.feeds.publishing import Publisher
from reconcile.feeds.side import side_of
from reconcile.jobs.world import JobRun, World
from reconcile.store.scratch import scratch_folder
from reconcile.store.worker_lock import held, of_feed


def take_feed(world: World, feed_name: str, *, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """Takes what a feed has delivered; returns the ids of the batches that were published or refused.

    A delivery that cannot be taken is refused and does not hold up the next one. Running it again, or two at once, changes
    nothing. Where the program itself fails on a delivery, the others are taken first; then an `ExceptionGroup` says so, and
    the next run tries again. Where a database gives no rows, or no more, what it gave is taken; then a `SourceError` says why.
    """
    feed = world.configuration.feed(feed_name)
    with world.job("take_feed", feed.name) as run, held(world.database, of_feed(feed.name)):
        with world.database.begin() as connection:
            manifest.register(connection, feed, run.now)
        failures: list[Exception] = []
        with arrivals(world.configuration, feed, world.database, limits, run.now) as arrived:
            waiting, refused = _land(world, feed, arrived.inbox, run, limits, failures)
        judged = _judge(world, feed, run, waiting, limits, failures)
        with world.database.begin() as connection:
            watermark.advance(connection, feed, waiting, run.now)
        if failures:
            raise ExceptionGroup(f"feed {feed.name}: {len(failures)} deliveries could not be taken", failures)
        if arrived.problem is not None:
            raise arrived.problem
    return refused + judged


def _land(
    world: World, feed: Feed, inbox: Inbox, run: JobRun, limits: Limits, failures: list[Exception]
) -> tuple[list[str], list[str]]:
    """Copies what is complete and new into the lake; returns the names of deliveries that are not complete or could not be
    copied now, and the batches that were refused because they can never be copied. Adds to `failures`.
    """
    listing = inbox.list()
    refused: list[str] = []
    with world.database.begin() as connection:
        names = [*(delivery.source for delivery in listing.ready), *(begun.source for begun in listing.begun)]
        known = manifest.seen(connection, feed.name, names)
    waiting = [begun.source for begun in listing.begun if not begun.is_left_over(known)]
    fresh = [delivery for delivery in listing.ready if (delivery.source, delivery.mark) not in known]
    fresh.sort(key=lambda delivery: order_of(feed, delivery.source))
    landing = Landing(world.database, world.lake, inbox, feed, limits, run.now)
    for delivery in fresh[:DELIVERIES_PER_RUN]:
        with scratch_folder("feed") as folder:
            try:
                batch_id = landing.land(delivery, folder)
            except NotYet:
                waiting.append(delivery.source)
            except Exception as error:  # noqa: BLE001 - raised by the caller, after what it must not hold up
                waiting.append(delivery.source)
                failures.append(DeliveryError(delivery.source, error))
            else:
                refused.extend([str(batch_id)] if batch_id else [])
    waiting.extend(delivery.source for delivery in fresh[DELIVERIES_PER_RUN:])
    run.counts.update(waiting=len(waiting), refused=len(refused))
    return waiting, refused


def _judge(
    world: World, feed: Feed, run: JobRun, waiting: list[str], limits: Limits, failures: list[Exception]
) -> list[str]:
    """Publishes or refuses every batch that was landed, also by a run that was killed before it could. Adds to `failures`."""
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
    judged: list[str] = []
    for batch in landed:
        try:
            verdicts[publisher.judge(batch)] += 1
        except Exception as error:  # noqa: BLE001 - raised below, after the deliveries that it must not hold up
            failures.append(DeliveryError(batch.source, error))
        else:
            judged.append(str(batch.batch_id))
    run.counts["published"] = verdicts["published"]
    run.counts["refused"] += verdicts["refused"]
    return judged


class DeliveryError(RuntimeError):
    """A delivery could not be taken: the place where it lies failed, or this program. The next run tries again."""

    def __init__(self, source: str, cause: Exception) -> None:
        said = str(cause) if isinstance(cause, OSError) else type(cause).__name__
        super().__init__(f"{source}: {said}")
        self.__cause__ = cause
