"""Moving a row from one status to the next: guarded by the status that was expected, and by the schema's own table."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa


class StaleStatusError(RuntimeError):
    """A row was not in the status that its mover expected: somebody else moved it first."""


def advance(
    connection: sa.Connection, table: sa.Table, row_id: UUID, *, expected: str, status: str, **values: Any
) -> None:
    """Sets `status` (and `values`) on one row that stands at `expected`; raises `StaleStatusError` otherwise.

    A step that `transitions` does not hold is refused by the database with an `IntegrityError`.
    """
    if not try_advance(connection, table, row_id, expected=expected, status=status, **values):
        raise StaleStatusError(f"{table.name} {row_id} is not {expected}, so it cannot become {status}")


def try_advance(
    connection: sa.Connection, table: sa.Table, row_id: UUID, *, expected: str, status: str, **values: Any
) -> bool:
    """As `advance`; False instead of an exception, for steps that may well have been made by another worker."""
    (key,) = table.primary_key.columns
    result = connection.execute(
        sa.update(table).where(key == row_id, table.c.status == expected).values(status=status, **values)
    )
    return result.rowcount == 1
