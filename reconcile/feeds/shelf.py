"""The batches of all feeds, as people look at them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.store.tables import batches

STATUSES: Final = ("landed", "published", "refused", "withdrawn")


@dataclass(frozen=True, slots=True)
class Batch:
    """One delivery. `money`: asset → fate → minor units; `remark`: what is unusual about it; `reason`: why it was refused or
    withdrawn; `released_at`: since when something stands in the place of one that was withdrawn.
    """

    batch_id: UUID
    feed: str
    flow: str
    side: str
    source: str
    status: str
    reason: str | None
    remark: str | None
    broken: tuple[str, ...]
    raw_rows: int
    published_rows: int
    quarantined_rows: int
    duplicate_rows: int
    out_of_scope_rows: int
    money: Mapping[str, Mapping[str, int]]
    complete_through: datetime | None
    landed_at: datetime
    published_at: datetime | None
    accepted_at: datetime | None
    withdrawn_at: datetime | None
    released_at: datetime | None
    landed_path: str
    path: str | None


_COLUMNS: Final = tuple(batches.c[name] for name in Batch.__slots__)


def find(connection: sa.Connection, *, feed: str | None = None, status: str | None = None, at_most: int) -> list[Batch]:
    """The newest first."""
    query = sa.select(*_COLUMNS).order_by(batches.c.landed_at.desc(), batches.c.batch_id).limit(at_most)
    if feed is not None:
        query = query.where(batches.c.feed == feed)
    if status is not None:
        query = query.where(batches.c.status == status)
    return [_batch(row) for row in connection.execute(query)]


def show(connection: sa.Connection, batch_id: UUID) -> Batch | None:
    """One of them; None when there is none."""
    row = connection.execute(sa.select(*_COLUMNS).where(batches.c.batch_id == batch_id)).one_or_none()
    return None if row is None else _batch(row)


def _batch(row: sa.Row[tuple[object, ...]]) -> Batch:
    values = dict(row._mapping)  # noqa: SLF001 - how a row gives itself by name
    return Batch(**{**values, "broken": tuple(values["broken"] or ())})
