"""Where the deliveries of a feed lie, whatever it reads them from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from reconcile.config import Configuration, Feed
from reconcile.feeds import watermark
from reconcile.feeds.inbox import Inbox
from reconcile.feeds.limits import Limits
from reconcile.feeds.sql.reading import ENDING, Reading, first_start, start_of
from reconcile.feeds.sql.source import Source, SourceError
from reconcile.store.database import Database
from reconcile.store.scratch import scratch_folder


@dataclass(frozen=True, slots=True)
class Arrivals:
    """`problem`: why a database gave no more than lies in the inbox, to be raised when that is taken; None when all is well."""

    inbox: Inbox
    problem: SourceError | None = None


@contextmanager
def arrivals(
    configuration: Configuration, feed: Feed, database: Database, limits: Limits, now: datetime
) -> Iterator[Arrivals]:
    """The inbox of a feed. A feed of a database is read here, from where it is complete, into a folder that is its inbox as
    long as the block runs. `now` is business time.
    """
    if feed.reader != "sql":
        yield Arrivals(Inbox(configuration, feed))
        return
    with database.begin() as connection:
        reached = watermark.read(connection, feed.name)
        undone = watermark.sources_to_make_good(connection, feed.name)
    known = reached or first_start(feed, configuration.flow(feed.flow), now)
    starts = sorted({known, *(start for name in undone if (start := start_of(name)) is not None)})
    with scratch_folder("feed") as folder:
        problem = None
        try:
            Reading(Source(configuration, feed, limits.read_seconds), feed, folder, limits, now).read_on(known, starts)
        except SourceError as error:
            problem = error
        yield Arrivals(Inbox(configuration, feed, f"{folder}/*{ENDING}"), problem)
