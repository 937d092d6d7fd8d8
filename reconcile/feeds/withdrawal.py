"""A published batch that turned out wrong: taken back by a person, and open until something stands in its place."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from reconcile.domain.refusal import NotAllowedError
from reconcile.store import audit
from reconcile.store.lake import Lake
from reconcile.store.tables import batches, deliveries, quarantine
from reconcile.store.transitions import try_advance

HOLDING_SIDES: Final = ("ledger", "payment")
"""Sides whose rows say what was paid: nobody is paid again on account of one that is in doubt."""
IS_OPEN: Final = (batches.c.status == "withdrawn") & batches.c.released_at.is_(None)
_IDS: Final = {"confirmation": "confirmation_id", "ledger": "entry_id", "payment": "payment_id"}


def withdraw(connection: sa.Connection, batch_id: UUID, *, reason: str, now: datetime) -> sa.Row[Any]:
    """From published to withdrawn; returns the batch as it was. Raises `NotAllowedError`."""
    batch = found(connection, batch_id)
    if batch.side == "directory":
        raise NotAllowedError("directory rows cannot be taken back: deliver what holds now")
    if not try_advance(
        connection, batches, batch_id, expected="published", status="withdrawn", reason=reason, withdrawn_at=now
    ):
        raise NotAllowedError(f"batch {batch_id} is {batch.status}; only one that is published can be withdrawn")
    return batch


def release(connection: sa.Connection, batch_id: UUID, *, actor: str, reason: str, now: datetime) -> None:
    """A person's word that nothing is to come in the place of a withdrawn batch: it holds nobody back any more.

    Its own rows in quarantine are dismissed with it. Raises `NotAllowedError`.
    """
    batch = found(connection, batch_id)
    released = connection.execute(
        sa.update(batches).where(batches.c.batch_id == batch_id, IS_OPEN).values(released_at=now)
    )
    if released.rowcount != 1:
        raise NotAllowedError(f"batch {batch_id} is {batch.status} and holds nothing that could be released")
    dismissed = connection.execute(
        sa.update(quarantine)
        .where(quarantine.c.batch_id == batch_id, quarantine.c.status == "held")
        .values(status="dismissed", resolved_at=now)
    )
    audit.record(
        connection,
        at=now,
        actor=actor,
        action="batch_released",
        subject=("batch", str(batch_id)),
        reason=reason,
        evidence={"dismissed_rows": dismissed.rowcount},
    )


def make_good(connection: sa.Connection, feed: str, source: str, now: datetime) -> None:
    """The withdrawn batches of that name have a published one in their place."""
    connection.execute(
        sa.update(batches).where(batches.c.feed == feed, batches.c.source == source, IS_OPEN).values(released_at=now)
    )


def is_replaced(connection: sa.Connection, batch: sa.Row[Any]) -> bool:
    """Whether a delivery of the same name came after this one and is published."""
    last_seen = sa.select(sa.func.max(deliveries.c.delivery_id)).where(deliveries.c.batch_id == batch.batch_id)
    later = (
        sa.select(deliveries.c.delivery_id)
        .join(batches, batches.c.batch_id == deliveries.c.batch_id)
        .where(
            deliveries.c.feed == batch.feed,
            deliveries.c.source == batch.source,
            batches.c.status == "published",
            deliveries.c.delivery_id > last_seen.scalar_subquery(),
        )
    )
    return connection.execute(later.limit(1)).first() is not None


def doubted(connection: sa.Connection, flow: str) -> list[sa.Row[Any]]:
    """(batch_id, path) of the withdrawn batches on which it rested who was paid, and in whose place nothing stands."""
    query = sa.select(batches.c.batch_id, batches.c.path).where(
        batches.c.flow == flow, batches.c.side.in_(HOLDING_SIDES), IS_OPEN
    )
    return list(connection.execute(query.order_by(batches.c.batch_id)))


def copies(connection: sa.Connection, batch: sa.Row[Any]) -> list[UUID]:
    """Batches that may hold rows of this one, which were left out of them as duplicates: published after it was."""
    query = sa.select(batches.c.batch_id).where(
        batches.c.feed == batch.feed,
        batches.c.status == "published",
        batches.c.duplicate_rows > 0,
        batches.c.published_at >= batch.published_at,
        batches.c.batch_id != batch.batch_id,
    )
    return list(connection.execute(query.order_by(batches.c.published_at, batches.c.batch_id)).scalars())


def concerned(lake: Lake, withdrawn: Sequence[sa.Row[Any]]) -> tuple[frozenset[str], frozenset[str]]:
    """(accounts, references) of the rows of these batches."""
    accounts: set[str] = set()
    references: set[str] = set()
    for batch in withdrawn:
        rows = _rows(lake, batch, ["account", "reference"])
        accounts.update(filter(None, rows["account"].to_pylist()))
        references.update(filter(None, rows["reference"].to_pylist()))
    return frozenset(accounts), frozenset(references)


def row_ids(lake: Lake, batch: sa.Row[Any]) -> list[UUID]:
    """The ids under which matching knows the rows of a published batch."""
    return sorted(set(_rows(lake, batch, [_IDS[batch.side]])[_IDS[batch.side]].to_pylist()))


def _rows(lake: Lake, batch: sa.Row[Any], columns: list[str]) -> pa.Table:
    """Columns of the published rows of a batch; days that are past share a file."""
    if batch.path is None:
        return pa.table({name: [] for name in columns})
    with lake.open(batch.path) as stream:
        rows = pq.read_table(stream, columns=[*columns, "batch_id"])
    return rows.filter(pa.array([one == batch.batch_id for one in rows["batch_id"].to_pylist()], pa.bool_()))


def found(connection: sa.Connection, batch_id: UUID) -> sa.Row[Any]:
    """A batch by its id; raises `NotAllowedError` when there is none."""
    row = connection.execute(sa.select(batches).where(batches.c.batch_id == batch_id)).one_or_none()
    if row is None:
        raise NotAllowedError(f"there is no batch {batch_id}")
    return row
