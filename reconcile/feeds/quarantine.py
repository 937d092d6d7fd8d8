"""Rows that are kept back: what a person sees of them, and may do about one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from reconcile.domain.phone import masked, masked_within
from reconcile.feeds.withdrawal import HOLDING_SIDES
from reconcile.store import audit
from reconcile.store.tables import batches, cases, quarantine

STATUSES: Final = ("held", "replayed", "superseded", "dismissed")


class NotHeldError(LookupError):
    """There is no such row in quarantine, or something became of it already."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are meant. `broke`: the name of an expectation; `before`: rows that were kept back before this instant."""

    feed: str | None = None
    broke: str | None = None
    before: datetime | None = None
    status: str = "held"

    @property
    def conditions(self) -> list[sa.ColumnElement[bool]]:
        said = [quarantine.c.status == self.status]
        if self.feed is not None:
            said.append(quarantine.c.feed == self.feed)
        if self.broke is not None:
            said.append(broke(self.broke))
        if self.before is not None:
            said.append(quarantine.c.quarantined_at < self.before)
        return said


@dataclass(frozen=True, slots=True)
class KeptBack:
    """One row. `holds`: whom it keeps from being paid; `waiting`: numbers of open cases among these. Unless somebody who is
    noted asked for it, `raw` is None, since people's numbers and names stand in it, and numbers are masked elsewhere.
    """

    quarantine_id: UUID
    feed: str
    side: str
    source: str
    batch_id: UUID
    row_number: int
    row_key: str | None
    reason: str
    raw: str | None
    account: str | None
    reference: str | None
    status: str
    quarantined_at: datetime
    resolved_at: datetime | None
    holds: Literal["nobody", "purchases", "everybody"]
    waiting: tuple[str, ...]

    @property
    def holds_whom(self) -> str:
        """The same in words."""
        if self.holds == "nobody":
            return "nobody"
        if self.holds == "everybody":
            return "everybody: its period is not proven"
        whom = [f"purchases for {self.account}"] if self.account else []
        if self.reference is not None:
            whom.append(f"the purchase {self.reference}")
        return " and ".join(whom) + (f"; open cases: {', '.join(self.waiting)}" if self.waiting else "")


def broke(name: str) -> sa.ColumnElement[bool]:
    """Whether a row broke the expectation of that name."""
    return quarantine.c.reason.regexp_match(rf"(^|; ){re.escape(name)}(:|;|$)")


def count(connection: sa.Connection, meant: Filter) -> dict[str, dict[str, int]]:
    """Feed → expectation → rows that broke it. A row that broke several counts under each."""
    return _count(connection, meant.conditions)


def count_since(connection: sa.Connection, sides: Sequence[str], since: datetime) -> dict[str, dict[str, int]]:
    """The same of all rows of these sides that were kept back since then, whatever became of them."""
    return _count(connection, [quarantine.c.side.in_(sides), quarantine.c.quarantined_at >= since])


def _count(connection: sa.Connection, conditions: Sequence[sa.ColumnElement[bool]]) -> dict[str, dict[str, int]]:
    each = sa.func.regexp_split_to_table(quarantine.c.reason, "; ").label("said")
    rows = sa.select(quarantine.c.feed, each).where(*conditions).subquery()
    name = sa.func.split_part(rows.c.said, ":", 1).label("name")
    query = sa.select(rows.c.feed, name, sa.func.count().label("rows")).where(
        rows.c.said.regexp_match("^[a-z0-9_]+(:|$)")
    )
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(query.group_by(rows.c.feed, name).order_by(rows.c.feed, sa.desc("rows"), name)):
        found.setdefault(row.feed, {})[row.name] = row.rows
    return found


def find(connection: sa.Connection, meant: Filter, *, at_most: int) -> list[KeptBack]:
    """The oldest rows first."""
    query = _select().where(*meant.conditions).order_by(quarantine.c.quarantined_at, quarantine.c.quarantine_id)
    return [_kept_back(row, open_=False) for row in connection.execute(query.limit(at_most))]


def show(connection: sa.Connection, quarantine_id: UUID) -> KeptBack:
    """One row. Raises `NotHeldError` when there is none."""
    return _kept_back(_one(connection, quarantine_id), open_=False)


def reveal(connection: sa.Connection, quarantine_id: UUID, *, actor: str, reason: str, now: datetime) -> KeptBack:
    """One row as it is; that somebody looked is noted. Raises `NotHeldError` when there is none."""
    row = _one(connection, quarantine_id)
    _record(connection, quarantine_id, "quarantine_revealed", actor, reason, now)
    return _kept_back(row, open_=True)


def dismiss(connection: sa.Connection, quarantine_id: UUID, *, actor: str, reason: str, now: datetime) -> None:
    """Says that a row is nothing that anybody waits for: it holds nobody back any more. Raises `NotHeldError`."""
    result = connection.execute(
        sa.update(quarantine)
        .where(quarantine.c.quarantine_id == quarantine_id, quarantine.c.status == "held")
        .values(status="dismissed", resolved_at=now)
    )
    if result.rowcount != 1:
        raise NotHeldError(f"no row {quarantine_id} is held in quarantine")
    _record(connection, quarantine_id, "quarantine_dismissed", actor, reason, now)


def rows_by_batch(
    connection: sa.Connection, meant: Filter, row_ids: Sequence[UUID] = ()
) -> list[tuple[UUID, str, frozenset[int]]]:
    """(batch, its name, numbers of its rows that are meant) of batches that are published; `row_ids`: these alone."""
    query = (
        sa.select(batches.c.batch_id, batches.c.source, sa.func.array_agg(quarantine.c.row_number).label("numbers"))
        .join(quarantine, quarantine.c.batch_id == batches.c.batch_id)
        .where(batches.c.status == "published", *meant.conditions)
    )
    if row_ids:
        query = query.where(quarantine.c.quarantine_id.in_(row_ids))
    query = query.group_by(batches.c.batch_id, batches.c.source).order_by(batches.c.published_at, batches.c.batch_id)
    return [(row.batch_id, row.source, frozenset(row.numbers)) for row in connection.execute(query)]


def _select() -> sa.Select[Any]:
    waiting = (
        sa.select(sa.func.array_agg(cases.c.number))
        .where(
            cases.c.flow == quarantine.c.flow,
            cases.c.status == "open",
            cases.c.owed_minor > 0,
            sa.or_(cases.c.account == quarantine.c.account, cases.c.reference == quarantine.c.reference),
        )
        .scalar_subquery()
    )
    return sa.select(quarantine, batches.c.source, waiting.label("waiting")).join(
        batches, batches.c.batch_id == quarantine.c.batch_id
    )


def _one(connection: sa.Connection, quarantine_id: UUID) -> sa.Row[Any]:
    row = connection.execute(_select().where(quarantine.c.quarantine_id == quarantine_id)).one_or_none()
    if row is None:
        raise NotHeldError(f"there is no row {quarantine_id} in quarantine")
    return row


def _kept_back(row: sa.Row[Any], *, open_: bool) -> KeptBack:
    account = row.account if open_ or row.account is None else masked(row.account)
    return KeptBack(
        quarantine_id=row.quarantine_id,
        feed=row.feed,
        side=row.side,
        source=row.source,
        batch_id=row.batch_id,
        row_number=row.row_number,
        row_key=row.row_key,
        reason=row.reason if open_ else masked_within(row.reason),
        raw=row.raw if open_ else None,
        account=account,
        reference=row.reference,
        status=row.status,
        quarantined_at=row.quarantined_at,
        resolved_at=row.resolved_at,
        holds=_holds(row),
        waiting=tuple(sorted(row.waiting or ())) if row.side in HOLDING_SIDES else (),
    )


def _holds(row: sa.Row[Any]) -> Literal["nobody", "purchases", "everybody"]:
    if row.status != "held" or row.side not in HOLDING_SIDES:
        return "nobody"
    return "everybody" if row.account is None and row.reference is None else "purchases"


def _record(
    connection: sa.Connection, quarantine_id: UUID, action: str, actor: str, reason: str, now: datetime
) -> None:
    audit.record(
        connection, at=now, actor=actor, action=action, subject=("quarantine", str(quarantine_id)), reason=reason
    )
