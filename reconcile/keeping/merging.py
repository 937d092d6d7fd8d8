"""Several Parquet files of the lake into one local one, by the queries of `sql/keeping/`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import duckdb

from reconcile import resources
from reconcile.store.lake import Lake

_MEMORY: Final = "1GB"
_ROW_GROUP: Final = 40_960
_FORMAT: Final = (
    # A dictionary for every column, so that each row group has Bloom filters.
    f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}, DICTIONARY_SIZE_LIMIT {_ROW_GROUP}"
)


def merge(lake: Lake, name: str, files: Sequence[str], target: Path, **variables: Sequence[str]) -> int:
    """Writes the rows of `sql/keeping/<name>.sql` over `files` (below the lake) to `target`; returns how many."""
    values: Mapping[str, Sequence[str]] = {"files": [lake.url(path) for path in files], **variables}
    with duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": str(target.parent)}) as connection:
        lake.register(connection)
        connection.execute("SET TimeZone = 'UTC'")
        for variable, items in values.items():
            connection.execute(f"SET VARIABLE {variable} = $1::VARCHAR[]", [list(items)])
        query = resources.text(f"sql/keeping/{name}.sql")
        written = connection.execute(f"COPY ({query}) TO '{_quoted(target)}' ({_FORMAT})").fetchone()
    assert written is not None
    return int(written[0])


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
