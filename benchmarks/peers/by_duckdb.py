"""DuckDB by hand: bare joins, which are the yardstick, and the query that a data engineer would write."""

from pathlib import Path

import duckdb

from benchmarks import day
from benchmarks.peers import by_hand


def raw_join(folder: Path, _out: Path) -> None:
    """The yardstick: the inner join on the reference strings, counted."""
    _count(f"'{folder / day.CONFIRMATIONS}' AS c JOIN '{folder / day.ENTRIES}' AS e ON c.reference = e.reference")


def key_join(folder: Path, _out: Path) -> None:
    """The same on a column of 64-bit keys that was computed beforehand."""
    _count(f"'{folder / day.KEYED_CONFIRMATIONS}' AS c JOIN '{folder / day.KEYED_ENTRIES}' AS e ON c.key = e.key")


def written_pairs(folder: Path, out: Path) -> None:
    """The raw join with the ids of each pair written: what a file of matches costs by itself."""
    confirmations, entries = folder / day.FOREIGN_CONFIRMATIONS, folder / day.FOREIGN_ENTRIES
    _run(f"""
        COPY (
            SELECT c.id AS confirmation_id, e.id AS entry_id FROM '{confirmations}' AS c JOIN '{entries}' AS e USING (reference)
        ) TO '{out / "pairs.parquet"}' (FORMAT parquet, COMPRESSION zstd)""")


def group_and_join(folder: Path, out: Path) -> None:
    query = by_hand.QUERY.format(
        confirmations=f"'{folder / day.FOREIGN_CONFIRMATIONS}'", entries=f"'{folder / day.FOREIGN_ENTRIES}'"
    )
    _run(f"COPY ({query}) TO '{out / by_hand.ANSWER}' (FORMAT parquet)")


def _count(joined: str) -> None:
    _run(f"SELECT count(*) FROM {joined}")


def _run(statement: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(statement).fetchall()
