"""Up to which instant a feed is complete, and why it may not be said to be any further."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from reconcile.config import Feed, Numbering
from reconcile.feeds import ranges, withdrawal
from reconcile.store.tables import batches, deliveries, feeds, quarantine


@dataclass(frozen=True, slots=True)
class Standing:
    """One delivery, as far as the watermark is concerned. `proven`: all of it is published, or accounted for row by row."""

    source: str
    complete_through: datetime | None
    proven: bool


def furthest(standings: Iterable[Standing], waiting: Sequence[str]) -> datetime | None:
    """The latest instant up to which every delivery is proven, or None.

    A delivery that is not proven (refused, still to be judged, or with a row that could belong to anybody) stops the
    watermark short of what it would have completed. One of which even that is unknown, and one that has begun and is
    `waiting` for its other file, stops every delivery that comes after it by name: names follow the order of delivery.
    """
    standings = list(standings)
    open_until = [one.complete_through for one in standings if not one.proven and one.complete_through is not None]
    open_names = [*waiting, *(one.source for one in standings if not one.proven and one.complete_through is None)]
    first_instant, first_name = min(open_until, default=None), min(open_names, default=None)
    return max(
        (
            one.complete_through
            for one in standings
            if one.proven
            and one.complete_through is not None
            and (first_instant is None or one.complete_through < first_instant)
            and (first_name is None or one.source < first_name)
        ),
        default=None,
    )


def read(connection: sa.Connection, feed: str) -> datetime | None:
    """Where the feed's watermark stands."""
    reached: datetime | None = connection.execute(
        sa.select(feeds.c.watermark).where(feeds.c.feed == feed)
    ).scalar_one_or_none()
    return reached


def sources_to_make_good(connection: sa.Connection, feed: str) -> list[str]:
    """Names of the deliveries that were refused or withdrawn, and in whose place nothing stands."""
    query = sa.select(batches.c.source).distinct()
    refused = sa.and_(batches.c.status == "refused", ~_made_good())
    query = query.where(batches.c.feed == feed, sa.or_(refused, withdrawal.IS_OPEN))
    return list(connection.execute(query).scalars())


def advance(connection: sa.Connection, feed: Feed, waiting: Sequence[str], now: datetime) -> datetime | None:
    """Moves the feed's watermark as far as its deliveries allow, never back; returns where it stands."""
    current: datetime | None = connection.execute(
        sa.select(feeds.c.watermark).where(feeds.c.feed == feed.name).with_for_update()
    ).scalar_one()
    reached = _reached(connection, feed, waiting, current, now)
    if reached is None or (current is not None and reached <= current):
        return current
    connection.execute(sa.update(feeds).where(feeds.c.feed == feed.name).values(watermark=reached, updated_at=now))
    return reached


def _reached(
    connection: sa.Connection, feed: Feed, waiting: Sequence[str], current: datetime | None, now: datetime
) -> datetime | None:
    completeness = feed.completeness
    if isinstance(completeness, Numbering):
        counted = sa.and_(batches.c.status == "published", ~_is_homeless())
        landed = sa.select(batches.c.source).where(batches.c.feed == feed.name, batches.c.status == "landed")
        undone = [*sources_to_make_good(connection, feed.name), *connection.execute(landed).scalars()]
        if completeness.numbers == "files":
            undone.extend(waiting)
        reached = ranges.advance(connection, feed, completeness, undone, counted)
        return None if reached is None else min(reached, now)
    standings = _standings(connection, feed.name, current)
    if completeness.kind != "delay":
        return furthest(standings, waiting)
    # An assumption holds as long as nothing contradicts it: no delivery that was refused or waits to be judged.
    return now - completeness.delay if all(one.proven for one in standings) else None


def unproven(connection: sa.Connection, feed: str) -> list[str]:
    """Names of the deliveries that hold the feed up."""
    return [one.source for one in _standings(connection, feed, None) if not one.proven]


def _standings(connection: sa.Connection, feed: str, current: datetime | None) -> list[Standing]:
    """Every delivery that is not proven, and those published ones that could move the watermark."""
    unproven = sa.or_(
        batches.c.status == "landed",
        sa.and_(batches.c.status == "refused", ~_made_good()),
        withdrawal.IS_OPEN,
        sa.and_(batches.c.status == "published", _is_homeless()),
    )
    ahead = sa.and_(
        batches.c.status == "published", batches.c.complete_through > (current or sa.literal_column("'-infinity'"))
    )
    rows = connection.execute(
        sa.select(batches.c.source, batches.c.complete_through, (~unproven).label("proven")).where(
            batches.c.feed == feed, sa.or_(unproven, ahead)
        )
    )
    return [Standing(row.source, row.complete_through, row.proven) for row in rows]


def _is_homeless() -> sa.ColumnElement[bool]:
    """A batch has a row in quarantine that could be anybody's."""
    return (
        sa.select(quarantine.c.quarantine_id)
        .where(
            quarantine.c.batch_id == batches.c.batch_id,
            quarantine.c.status == "held",
            quarantine.c.side.in_(withdrawal.HOLDING_SIDES),
            quarantine.c.account.is_(None),
            quarantine.c.reference.is_(None),
        )
        .exists()
    )


def _made_good() -> sa.ColumnElement[bool]:
    """A refused delivery is made good by one of the same name that came after it and was published."""
    later, later_batch = deliveries.alias(), batches.alias()
    last_seen = (
        sa.select(sa.func.max(deliveries.c.delivery_id))
        .where(deliveries.c.batch_id == batches.c.batch_id)
        .correlate(batches)
    )
    return (
        sa.select(later.c.delivery_id)
        .join(later_batch, later_batch.c.batch_id == later.c.batch_id)
        .where(
            later.c.feed == batches.c.feed,
            later.c.source == batches.c.source,
            later_batch.c.status == "published",
            later.c.delivery_id > last_seen.scalar_subquery(),
        )
        .correlate(batches)
        .exists()
    )
