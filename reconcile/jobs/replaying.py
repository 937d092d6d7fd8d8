"""A person has rows read again: those in quarantine after a template was added, or a whole batch after one was corrected."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from reconcile.feeds import quarantine, withdrawal
from reconcile.feeds.limits import DEFAULT_LIMITS
from reconcile.feeds.publishing import Publisher
from reconcile.feeds.quarantine import Filter
from reconcile.feeds.replay import Replay, Replayer
from reconcile.feeds.side import side_of
from reconcile.jobs.world import World
from reconcile.store.worker_lock import held, of_feed


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of one batch's rows in quarantine."""

    source: str
    original_id: UUID
    replay: Replay


def read_again(world: World, batch_id: UUID, *, actor: str, reason: str, only: frozenset[int] | None = None) -> Replay:
    """Reads a batch again, all its rows or those numbered in `only`.

    Raises `NotAllowedError`, and `WorkerBusyError` where the feed is being taken for long.
    """
    with world.database.begin() as connection:
        original = withdrawal.found(connection, batch_id)
    feed = world.configuration.feed(original.feed)
    publisher = Publisher(
        database=world.database,
        lake=world.lake,
        feed=feed,
        flow=world.configuration.flow(feed.flow),
        side=side_of(world.configuration, feed),
        limits=DEFAULT_LIMITS,
        now=world.clock.now(),
        waiting=(),
    )
    with held(world.database, of_feed(feed.name)):
        return Replayer(publisher, actor, reason).replay(original, only)


def replay_quarantine(
    world: World, meant: Filter, *, actor: str, reason: str, row_ids: Sequence[UUID] = ()
) -> list[Replayed]:
    """Reads the rows that are held in quarantine again; `row_ids`: only these. Rows of a batch that was withdrawn are left."""
    with world.database.begin() as connection:
        found = quarantine.rows_by_batch(connection, meant, row_ids)
    return [
        Replayed(source, batch_id, read_again(world, batch_id, actor=actor, reason=reason, only=numbers))
        for batch_id, source, numbers in found
    ]
