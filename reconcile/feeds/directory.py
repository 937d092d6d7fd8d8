"""How each customer wants to be told, kept by account: the newest word counts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.store.tables import directory

_COLUMNS: Final = ("language", "email", "channel", "opted_out")
_ROWS_PER_STATEMENT: Final = 5_000


def upsert(connection: sa.Connection, rows: Sequence[Mapping[str, Any]], said_at: datetime) -> None:
    """Writes one row for each account, unless what is there was said later than `said_at`."""
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        some = rows[start : start + _ROWS_PER_STATEMENT]
        statement = insert(directory).values(
            [
                {"account": row["account"], "updated_at": said_at, **{column: row[column] for column in _COLUMNS}}
                for row in some
            ]
        )
        fresh = statement.excluded
        changed = sa.tuple_(*(fresh[column] for column in _COLUMNS)).is_distinct_from(
            sa.tuple_(*(directory.c[column] for column in _COLUMNS))
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["account"],
                set_={
                    **{column: fresh[column] for column in _COLUMNS},
                    "updated_at": fresh.updated_at,
                    "version": directory.c.version + 1,
                },
                where=sa.and_(directory.c.updated_at <= fresh.updated_at, changed),
            )
        )
