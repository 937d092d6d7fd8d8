"""Which numbers of a sequence feed have come, and up to when that proves it complete."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.config import Feed, Numbering
from reconcile.domain.sequence import NumberRange, Reach, reach
from reconcile.feeds.numbering import Place, place_of
from reconcile.feeds.refusal import Refused
from reconcile.store.tables import batches, sequence_ranges, sequences

MAX_RANGES: Final = 10_000
"""A delivery whose numbers have more gaps than this is not numbered without gaps."""


@dataclass(frozen=True, slots=True)
class NodeRange:
    """A range of numbers of one node."""

    node: str
    numbers: NumberRange


def record(connection: sa.Connection, feed: Feed, batch_id: UUID, ranges: Sequence[NodeRange]) -> None:
    """What a batch brought, with the batch, in the caller's transaction."""
    if ranges:
        rows = [
            {
                "batch_id": batch_id,
                "feed": feed.name,
                "node": one.node,
                "first_number": one.numbers.first,
                "last_number": one.numbers.last,
                "through": one.numbers.through,
            }
            for one in ranges
        ]
        connection.execute(sa.insert(sequence_ranges), rows)


def hand_on(connection: sa.Connection, withdrawn: UUID, batch_id: UUID) -> None:
    """The batch that stands in the place of a withdrawn one brings the same numbers."""
    columns = [sequence_ranges.c[name] for name in ("feed", "node", "first_number", "last_number", "through")]
    brought = sa.select(sa.literal(batch_id, sa.Uuid), *columns).where(sequence_ranges.c.batch_id == withdrawn)
    connection.execute(sa.insert(sequence_ranges).from_select(["batch_id", *columns], brought))


def taken(connection: sa.Connection, feed: Feed, among: Sequence[NodeRange]) -> list[NodeRange]:
    """The ranges of published batches that meet one of `among`; and what lies before the first number of its node, as one more."""
    found = []
    for node in sorted({one.node for one in among}):
        mine = [one.numbers for one in among if one.node == node]
        of_node = sa.and_(
            sequence_ranges.c.feed == feed.name, sequence_ranges.c.node == node, batches.c.status == "published"
        )
        joined = sequence_ranges.join(batches, batches.c.batch_id == sequence_ranges.c.batch_id)
        begun = connection.execute(
            sa.select(sequences.c.first_number).where(sequences.c.feed == feed.name, sequences.c.node == node)
        ).scalar_one_or_none()
        if begun is None:
            continue
        found.append(NodeRange(node, NumberRange(0, begun - 1, None)))
        query = sa.select(sequence_ranges.c.first_number, sequence_ranges.c.last_number).select_from(joined)
        query = query.where(
            of_node,
            sequence_ranges.c.last_number >= min(one.first for one in mine),
            sequence_ranges.c.first_number <= max(one.last for one in mine),
        )
        found.extend(NodeRange(node, NumberRange(*row, None)) for row in connection.execute(query.distinct()))
    return found


def refuse_taken(connection: sa.Connection, feed: Feed, place: Place) -> None:
    """Raises `Refused` for the number of a file that came before, or that lies before the first one of its node."""
    number, node = place.number, f" of the node {place.node}" if place.node else ""
    known = taken(connection, feed, [NodeRange(place.node, NumberRange(number, number, None))])
    for one in known:
        if one.numbers.first <= number <= one.numbers.last:
            if one is known[0]:
                raise Refused(
                    f"its number {number}{node} comes before {one.numbers.last + 1}, where the sequence began"
                )
            raise Refused(f"its number {number}{node} was delivered before, with another content")


def advance(
    connection: sa.Connection,
    feed: Feed,
    sequence: Numbering,
    undone: Collection[str],
    counted: sa.ColumnElement[bool],
) -> datetime | None:
    """Moves the reach of every node on; the time up to which all of them reach, or None where that cannot be said.

    `undone`: names of deliveries that are not judged yet, or were refused or withdrawn and not replaced; `counted`: which
    batches' numbers count. An undone file whose number is still ahead is a gap like any other. One whose number was counted,
    or is not known, leaves open what is complete; so do undone rows.
    """
    reached = {node: _advance(connection, feed, node, counted) for node in sequence.all_nodes}
    moments = [one.through if one is not None else None for one in reached.values()]
    known = [moment for moment in moments if moment is not None]
    if len(known) < len(moments) or any(not _is_ahead(feed, sequence, reached, source) for source in undone):
        return None
    return min(known)


def gaps(connection: sa.Connection, feed: Feed, sequence: Numbering) -> list[str]:
    """What is missing: `A 17` or `A 17-19`, and `B …` for a node that never spoke."""
    rows = connection.execute(sa.select(sequences).where(sequences.c.feed == feed.name)).all()
    known = {row.node: row for row in rows}
    said = []
    for node in sequence.all_nodes:
        row = known.get(node)
        if row is None:
            said.append(f"{node} …")
        elif row.gap_last is not None:
            first = row.reached_number + 1
            said.append(f"{node} {first}" if first == row.gap_last else f"{node} {first}-{row.gap_last}")
    return [one.strip() for one in said]


def _is_ahead(feed: Feed, sequence: Numbering, reached: dict[str, Reach | None], source: str) -> bool:
    if sequence.numbers == "rows":
        return False
    try:
        place = place_of(feed, sequence, source)
    except Refused:
        return False
    known = reached[place.node]
    return known is None or place.number > known.last


def _advance(connection: sa.Connection, feed: Feed, node: str, counted: sa.ColumnElement[bool]) -> Reach | None:
    row = connection.execute(
        sa.select(sequences).where(sequences.c.feed == feed.name, sequences.c.node == node)
    ).one_or_none()
    known = None if row is None else Reach(row.first_number, row.reached_number, row.through)
    query = (
        sa.select(sequence_ranges.c.first_number, sequence_ranges.c.last_number, sequence_ranges.c.through)
        .join(batches, batches.c.batch_id == sequence_ranges.c.batch_id)
        .where(sequence_ranges.c.feed == feed.name, sequence_ranges.c.node == node, counted)
    )
    if known is not None:
        query = query.where(sequence_ranges.c.last_number > known.last)
    reached = reach(known, [NumberRange(*found) for found in connection.execute(query)])
    if reached is not None:
        values: dict[str, Any] = {
            "reached_number": reached.last,
            "through": reached.through,
            "gap_last": reached.gap[1] if reached.gap else None,
        }
        statement = insert(sequences).values(feed=feed.name, node=node, first_number=reached.first, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["feed", "node"], set_=values))
    return reached
