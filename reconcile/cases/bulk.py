"""Many rows in one statement: PostgreSQL takes the columns as arrays, so that a thousand changes cost as much as ten."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY


class ChangedUnderneathError(RuntimeError):
    """Fewer rows than expected stood at the expected status: somebody else moved them first."""


def update(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, expected: str | None = None
) -> None:
    """Sets, on the row of each mapping's primary key, its other columns. All mappings have the same keys.

    With `expected`, only rows of that status may be meant; raises `ChangedUnderneathError` when one is not, or is gone.
    """
    if not rows:
        return
    (key,) = table.primary_key.columns
    names = list(rows[0])
    arrays = [_array([row[name] for row in rows], table.c[name]) for name in names]
    changed = (
        sa.func.unnest(*arrays)
        .table_valued(*(sa.column(name, table.c[name].type) for name in names), name="changed")
        .render_derived()
    )
    statement = sa.update(table).where(key == changed.c[key.name])
    if expected is not None:
        statement = statement.where(table.c.status == expected)
    result = connection.execute(statement.values({name: changed.c[name] for name in names if name != key.name}))
    _check(table, result.rowcount, len(rows))


def move(
    connection: sa.Connection, table: sa.Table, row_ids: Sequence[UUID], *, expected: str, status: str, **values: Any
) -> None:
    """Moves all these rows from `expected` to `status`; raises `ChangedUnderneathError` when one stands elsewhere."""
    if not row_ids:
        return
    (key,) = table.primary_key.columns
    result = connection.execute(
        sa.update(table)
        .where(key == sa.any_(_array(row_ids, key)), table.c.status == expected)
        .values(status=status, **values)
    )
    _check(table, result.rowcount, len(row_ids))


def among(column: sa.Column[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """`column in (values)` with one parameter, however many there are."""
    return column == sa.any_(_array(values, column))


def _array(values: Sequence[Any], column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    kind = ARRAY(column.type)
    return sa.cast(sa.literal(list(values), kind), kind)


def _check(table: sa.Table, found: int, meant: int) -> None:
    if found != meant:
        raise ChangedUnderneathError(f"{meant} rows of {table.name} were to be changed, {found} stood as expected")
