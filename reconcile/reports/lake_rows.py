"""Rows of published batches, by the queries `sql/reports/lake_*.sql`. DuckDB reads the files; nothing is copied."""

from functools import cache
from typing import Any, Final, Literal
from uuid import UUID

import duckdb
import sqlalchemy as sa

from reconcile import resources
from reconcile.store.lake import Lake
from reconcile.store.tables import batches, runs

FILES_MAX: Final = 2_500
"""A week of five-minute deliveries and some; what is older is not looked through at a click."""
_MATCHES: Final = "matches.parquet"
_MEMORY: Final = "512MB"
_THREADS: Final = 2
_IDS: Final = frozenset({"confirmation_id", "match_key", "account_key", "batch_id", "entry_id"})
"""Columns that Arrow hands over as text."""

Side = Literal["confirmation", "ledger"]


@cache
def _engine() -> Any:
    """One engine for the process, since starting one takes longer than most queries; each query has a cursor of its own."""
    return duckdb.connect(config={"memory_limit": _MEMORY, "threads": _THREADS})


def files_of(connection: sa.Connection, lake: Lake, *, flow: str, side: Side) -> list[str]:
    """The newest published files of one side of a flow, as DuckDB opens them."""
    newest = (
        sa.select(batches.c.path)
        .group_by(batches.c.path)  # old days share a file
        .where(
            batches.c.flow == flow,
            batches.c.side == side,
            batches.c.status == "published",
            batches.c.published_rows > 0,
            batches.c.path.is_not(None),
        )
        .order_by(sa.func.max(batches.c.published_at).desc())
        .limit(FILES_MAX)
    )
    return [lake.url(path) for path in connection.execute(newest).scalars()]


def match_files(connection: sa.Connection, lake: Lake, *, flow: str) -> list[str]:
    """The files of matches of a flow's runs, the newest first: its rows replace those of the others."""
    file = sa.func.coalesce(runs.c.matches_path, runs.c.path + f"/{_MATCHES}").label("file")
    newest = (
        sa.select(file)
        .where(runs.c.flow == flow, file != "")
        .group_by(file)  # the runs of an old day share one
        .order_by(sa.func.max(runs.c.sequence).desc())
        .limit(FILES_MAX)
    )
    return [lake.url(path) for path in connection.execute(newest).scalars()]


def lake_rows(lake: Lake, name: str, files: list[str], **values: Any) -> list[dict[str, Any]]:
    """All rows of `sql/reports/lake_<name>.sql` over these files; none when there are no files. Instants are aware."""
    if not files:
        return []
    query = resources.text(f"sql/reports/lake_{name}.sql")
    with _engine().cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        lake.register(cursor)
        # By Arrow: fetchall() would ask for pytz to make an instant.
        rows = cursor.sql(query, params={"files": files, **values}).to_arrow_table().to_pylist()
    return [{key: UUID(value) if value and key in _IDS else value for key, value in row.items()} for row in rows]
