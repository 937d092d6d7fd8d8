"""Files whose time is up: the rows that named them say so, in the transaction that retires them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from reconcile.keeping.house import FILES_AT_ONCE, HELD, House, Swept
from reconcile.keeping.retired import retire
from reconcile.store import audit, worker_lock
from reconcile.store.tables import batches, quarantine, run_batches, runs

ACTOR = "job:housekeeping"


def sweep(house: House) -> Iterator[Swept]:
    """Landed copies, published rows and matches beyond their retention; nothing while a legal hold stands."""
    if house.has_hold():
        yield from (Swept(what, 0, note=HELD) for what in ("landed files", "published files", "matches"))
        return
    yield _landed(house)
    yield _published(house)
    yield _matches(house)


def _landed(house: House) -> Swept:
    """A landed copy is wanted until its batch is judged, and as long as a quarantined row of it may be replayed."""
    keep, now = house.retention, house.now
    waits = sa.exists().where(quarantine.c.batch_id == batches.c.batch_id, quarantine.c.status == "held")
    told = batches.c.side == "confirmation"
    due = (
        (batches.c.landed_path != "")
        & (batches.c.status != "landed")
        & sa.or_(told & (batches.c.landed_at < now - keep.messages), ~told & (batches.c.landed_at < now - keep.landed))
        & ~waits
    )

    def let_go(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
        connection.execute(sa.update(batches).where(which).values(landed_path=""))
        # A directory's rows went into their table: what its batch names is the landed copy.
        same = which & (batches.c.side == "directory")
        connection.execute(sa.update(batches).where(same).values(path=None, expired_at=house.now))

    return _in_parts(house, "landed files", batches.c.landed_path, due, let_go)


def _published(house: House) -> Swept:
    folded = sa.exists().where(run_batches.c.batch_id == batches.c.batch_id)
    old = sa.func.coalesce(batches.c.complete_through, batches.c.published_at) < house.now - house.retention.published
    due = (
        batches.c.path.is_not(None)
        & (batches.c.side != "directory")
        & batches.c.status.in_(("published", "withdrawn"))
        & old
        & (folded | (batches.c.published_rows == 0))
    )

    def let_go(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
        connection.execute(sa.update(batches).where(which).values(path=None, expired_at=house.now))

    return _in_parts(house, "published files", batches.c.path, due, let_go)


def _in_parts(house: House, what: str, column: sa.Column[Any], due: sa.ColumnElement[bool], let_go: Any) -> Swept:
    """Flow by flow, since what the next fold needs is known by flow; `let_go` changes the rows and returns their paths."""
    with house.database.begin() as connection:
        flows = list(connection.execute(sa.select(batches.c.flow).where(due).distinct()).scalars())
    count = freed = 0
    for flow in sorted(flows):
        with worker_lock.tried(house.database, worker_lock.of_flow(flow)) as mine:
            needed = house.needed(flow) if mine else frozenset[str]()
            after = UUID(int=0)
            while mine:
                page = (
                    sa.select(batches.c.batch_id, column.label("file"))
                    .where(due, batches.c.flow == flow, batches.c.batch_id > after)
                    .order_by(batches.c.batch_id)
                    .limit(FILES_AT_ONCE)
                    .with_for_update()
                )
                with house.database.begin() as connection:
                    found = connection.execute(page).all()
                    rows = [row for row in found if house.lake.url(row.file) not in needed]
                    count += len(rows)
                    freed += sum(map(house.lake.size_bytes, sorted({row.file for row in rows})))
                    if rows and not house.dry:
                        let_go(connection, batches.c.batch_id.in_([row.batch_id for row in rows]))
                        retire(connection, [row.file for row in rows])
                        _record(house, connection, what, flow, len(rows))
                if len(found) < FILES_AT_ONCE:
                    break
                after = found[-1].batch_id
    return Swept(what, count, freed)


def _record(house: House, connection: sa.Connection, what: str, flow: str, count: int) -> None:
    audit.record(
        connection, at=house.now, actor=ACTOR, action="retention", subject=("flow", flow),
        reason=f"{what} beyond their retention", evidence={"batches": count},
    )  # fmt: skip


def _matches(house: House) -> Swept:
    """Which entries explain which purchase is of no use once neither is left. A file that younger runs share stays."""
    limit = house.now - house.retention.published
    young = sa.select(runs.c.matches_path).where(runs.c.as_of >= limit, runs.c.matches_path.is_not(None))
    old = (runs.c.as_of < limit) & (sa.func.coalesce(runs.c.matches_path, "") != "") & runs.c.matches_path.not_in(young)
    with house.database.begin() as connection:
        paths = list(connection.execute(sa.select(runs.c.matches_path).where(old).distinct()).scalars())
        freed = sum(map(house.lake.size_bytes, paths))
        if not house.dry:
            connection.execute(sa.update(runs).where(old).values(matches_path=""))
            retire(connection, paths)
    return Swept("matches", len(paths), freed)
