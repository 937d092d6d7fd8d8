"""Batches in the database: landed, then published or refused, and the rows that were kept back."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.config import Feed
from reconcile.domain.ids import derive
from reconcile.feeds import withdrawal
from reconcile.feeds.staging import DISPOSITIONS, QuarantinedRow, Share, Span
from reconcile.store import audit
from reconcile.store.tables import batches, deliveries, feeds, quarantine
from reconcile.store.transitions import advance, try_advance

ACTOR: Final = "job:take_feed"
_log: Final = logging.getLogger(__name__)
_ROWS_PER_STATEMENT: Final = 5_000


@dataclass(frozen=True, slots=True)
class Landed:
    """What has arrived and is not yet judged. `control_path`: of the copy of its control file, below the lake; `accepted`: a person
    takes it, whatever is usual.
    """

    batch_id: UUID
    source: str
    landed_path: str
    control_path: str | None
    accepted: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """What publishing a batch changes. `money`: asset → amounts by fate; `keys`: smallest and greatest row key published;
    `corrected_keys`: those of the published keys under which a row lies in quarantine.
    """

    path: str | None
    raw_rows: int
    shares: Mapping[str, Share]
    money: Mapping[str, Mapping[str, int]]
    keys: tuple[str, str] | None
    quarantined: Sequence[QuarantinedRow]
    corrected_keys: Sequence[str]
    complete_through: datetime | None
    remark: str | None = None


def register(connection: sa.Connection, feed: Feed, now: datetime) -> None:
    """Makes the feed known, with the grade of what it says about its completeness."""
    values = {
        "flow": feed.flow,
        "side": feed.side,
        "grade": "proven" if feed.is_proven else "assumed",
        "updated_at": now,
    }
    statement = insert(feeds).values(feed=feed.name, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["feed"], set_=values))


def seen(connection: sa.Connection, feed: str, sources: Sequence[str]) -> set[tuple[str, str]]:
    """(name, mark) of those deliveries among `sources` that were taken before."""
    query = sa.select(deliveries.c.source, deliveries.c.mark).where(
        deliveries.c.feed == feed, deliveries.c.source == sa.func.any(sa.literal(list(sources), sa.ARRAY(sa.Text)))
    )
    return {(row.source, row.mark) for row in connection.execute(query)}


def land(
    connection: sa.Connection,
    feed: Feed,
    batch_id: UUID,
    *,
    source: str,
    mark: str,
    sha256: str,
    landed_path: str,
    complete_through: datetime | None,
    now: datetime,
) -> None:
    """Records that a delivery has arrived. The same bytes are the same batch; if that was refused, it is judged again."""
    connection.execute(
        insert(batches)
        .values(
            batch_id=batch_id,
            feed=feed.name,
            flow=feed.flow,
            side=feed.side,
            source=source,
            sha256=sha256,
            status="landed",
            landed_path=landed_path,
            complete_through=complete_through,
            landed_at=now,
        )
        .on_conflict_do_nothing(index_elements=["batch_id"])
    )
    connection.execute(
        insert(deliveries)
        .values(feed=feed.name, source=source, mark=mark, batch_id=batch_id, seen_at=now)
        .on_conflict_do_nothing(index_elements=["feed", "source", "mark"])
    )
    if try_advance(
        connection, batches, batch_id, expected="refused", status="landed",
        reason=None, source=source, landed_path=landed_path, complete_through=complete_through,
    ):  # fmt: skip
        _record(connection, batch_id, "batch_landed_again", "it was delivered again", now, {})


def unjudged(connection: sa.Connection, feed: Feed) -> list[Landed]:
    """Batches that were landed and neither published nor refused, in the order in which they arrived."""
    first_seen = (
        sa.select(sa.func.min(deliveries.c.delivery_id))
        .where(deliveries.c.batch_id == batches.c.batch_id)
        .scalar_subquery()
    )
    query = (
        sa.select(batches.c.batch_id, batches.c.source, batches.c.landed_path, batches.c.accepted_at)
        .where(batches.c.feed == feed.name, batches.c.status == "landed")
        .order_by(first_seen)
    )
    suffix = feed.control_suffix
    return [
        Landed(
            row.batch_id,
            row.source,
            row.landed_path,
            control_path=row.landed_path + suffix if suffix else None,
            accepted=row.accepted_at is not None,
        )
        for row in connection.execute(query)
    ]


def hold(connection: sa.Connection, feed: str) -> None:
    """Until the transaction ends, nobody else publishes for the feed or moves its watermark."""
    connection.execute(sa.select(feeds.c.feed).where(feeds.c.feed == feed).with_for_update())


@dataclass(frozen=True, slots=True)
class Earlier:
    """Published files below the lake; `withdrawn`: batches whose rows still lie in them and do not count any more."""

    files: tuple[str, ...] = ()
    withdrawn: tuple[UUID, ...] = ()


def overlapping(connection: sa.Connection, feed: Feed, span: Span, since: datetime) -> Earlier:
    """What the feed published that may hold a row with a key of `span`.

    A row with the same key and content was published after it happened, so no file from before `earliest` can hold it; one
    with another content is looked for since `since`. Both need a file whose range of keys meets this one.
    """
    query = (
        sa.select(batches.c.path)
        .distinct()
        .where(
            batches.c.feed == feed.name,
            batches.c.status == "published",
            batches.c.path.is_not(None),
            batches.c.published_at >= (since if span.earliest is None else min(since, span.earliest)),
            batches.c.last_key >= span.first_key,
            batches.c.first_key <= span.last_key,
        )
    )
    files = sorted(connection.execute(query).scalars())
    taken_back = sa.select(batches.c.batch_id).where(batches.c.status == "withdrawn", batches.c.path.in_(files))
    return Earlier(tuple(files), tuple(sorted(connection.execute(taken_back).scalars())))


def withdrawn(connection: sa.Connection, feed: Feed, span: Span) -> list[str]:
    """Files of withdrawn batches of the feed that may hold a row with a key of `span`."""
    query = sa.select(batches.c.path).where(
        batches.c.feed == feed.name,
        batches.c.status == "withdrawn",
        batches.c.path.is_not(None),
        batches.c.last_key >= span.first_key,
        batches.c.first_key <= span.last_key,
    )
    return sorted(connection.execute(query).scalars())


def held_keys(connection: sa.Connection, feed: str) -> list[str]:
    """The keys under which rows of the feed are held in quarantine."""
    query = sa.select(quarantine.c.row_key).distinct()
    query = query.where(quarantine.c.feed == feed, quarantine.c.status == "held", quarantine.c.row_key.is_not(None))
    return list(connection.execute(query).scalars())


def repeated(connection: sa.Connection, feed: str, rows: Sequence[QuarantinedRow]) -> list[int]:
    """Numbers of those rows that lie in quarantine already, word for word, whatever became of them there."""
    found: list[int] = []
    for some in _in_parts(rows):
        raws = sa.literal([row.raw for row in some], sa.ARRAY(sa.Text))
        keys = sa.literal([row.row_key for row in some if row.row_key], sa.ARRAY(sa.Text))
        query = sa.select(quarantine.c.row_key, quarantine.c.raw).where(
            quarantine.c.feed == feed,
            sa.or_(quarantine.c.row_key == sa.func.any(keys), quarantine.c.row_key.is_(None)),
            quarantine.c.raw == sa.func.any(raws),
        )
        known = {(row.row_key, row.raw) for row in connection.execute(query)}
        found.extend(row.row_number for row in some if (row.row_key, row.raw) in known)
    return found


def publish(connection: sa.Connection, feed: Feed, batch_id: UUID, accepted: Accepted, now: datetime) -> None:
    """From landed to published, with everything that follows from it, in the caller's transaction."""
    first_key, last_key = accepted.keys or (None, None)
    counts = {f"{disposition}_rows": accepted.shares[disposition].rows for disposition in DISPOSITIONS}
    advance(
        connection, batches, batch_id, expected="landed", status="published",
        path=accepted.path, raw_rows=accepted.raw_rows, **counts, money=accepted.money, first_key=first_key, last_key=last_key,
        complete_through=accepted.complete_through, published_at=now, remark=accepted.remark,
    )  # fmt: skip
    source = connection.execute(sa.select(batches.c.source).where(batches.c.batch_id == batch_id)).scalar_one()
    withdrawal.make_good(connection, feed.name, source, now)
    _supersede(connection, feed.name, accepted, now)
    _quarantine(connection, feed, batch_id, accepted.quarantined, now)
    _record(connection, batch_id, "batch_published", "published", now, counts)


def refuse(
    connection: sa.Connection,
    batch_id: UUID,
    *,
    reason: str,
    complete_through: datetime | None,
    now: datetime,
    broken: Sequence[str] = (),
) -> None:
    """From landed to refused: nothing of it counts, and its period stays unproven. `broken`: expectations of the delivery."""
    advance(
        connection,
        batches,
        batch_id,
        expected="landed",
        status="refused",
        reason=reason,
        broken=list(broken),
        complete_through=complete_through,
    )
    _record(connection, batch_id, "batch_refused", reason, now, {})


def _supersede(connection: sa.Connection, feed: str, accepted: Accepted, now: datetime) -> None:
    """A quarantined row is settled by a row of the same key: by one that is published, or by a newer bad one in its place."""
    keys = [*accepted.corrected_keys, *(row.row_key for row in accepted.quarantined if row.row_key)]
    for some in _in_parts(keys):
        connection.execute(
            sa.update(quarantine)
            .where(
                quarantine.c.feed == feed,
                quarantine.c.status == "held",
                quarantine.c.row_key == sa.func.any(sa.literal(list(some), sa.ARRAY(sa.Text))),
            )
            .values(status="superseded", resolved_at=now)
        )


def _quarantine(
    connection: sa.Connection, feed: Feed, batch_id: UUID, rows: Sequence[QuarantinedRow], now: datetime
) -> None:
    for some in _in_parts(rows):
        connection.execute(
            sa.insert(quarantine),
            [
                {
                    "quarantine_id": derive("quarantine", str(batch_id), str(row.row_number)),
                    "batch_id": batch_id,
                    "feed": feed.name,
                    "flow": feed.flow,
                    "side": feed.side,
                    "row_number": row.row_number,
                    "row_key": row.row_key,
                    "reason": row.reason,
                    "column_name": row.column_name,
                    "raw": row.raw,
                    "account": row.account,
                    "reference": row.reference,
                    "status": "superseded" if row.superseded else "held",
                    "quarantined_at": now,
                    "resolved_at": now if row.superseded else None,
                }
                for row in some
            ],
        )


def _record(
    connection: sa.Connection, batch_id: UUID, action: str, reason: str, now: datetime, evidence: Mapping[str, Any]
) -> None:
    # Not the reason: it may quote what was delivered.
    refused = action == "batch_refused"
    _log.log(
        logging.WARNING if refused else logging.INFO, action.replace("_", " "), extra={"batch_id": batch_id, **evidence}
    )
    audit.record(
        connection,
        at=now,
        actor=ACTOR,
        action=action,
        subject=("batch", str(batch_id)),
        reason=reason,
        evidence=evidence,
    )


def _in_parts(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[start : start + _ROWS_PER_STATEMENT] for start in range(0, len(items), _ROWS_PER_STATEMENT)]
