"""A day of purchases with 1.3 % faults, made from a seed: as published batches, as foreign files, and the truth about it.

python -m benchmarks.day FOLDER ROWS SEED
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

DAY: Final = datetime(2024, 7, 9, tzinfo=UTC)
ACCOUNTS_PER_PURCHASE: Final = 0.3
FOREIGN_FORMAT: Final = "FORMAT parquet, COMPRESSION zstd"
_MEMORY: Final = "4GB"
"""Sorting fifty million entries by time spills to disk beyond this."""

FAULTS: Final = {
    "never": 3.5,
    "late": 2.5,
    "doubled": 2.0,
    "unreferenced": 3.0,
    "misdirected": 1.0,
    "partial": 0.5,
    "reversed": 0.5,
}
"""Thousandths of all purchases, told apart by a digest of seed and number."""

PARTIAL_MINOR: Final = 10
"""What a partial credit lacks."""

CONFIRMATIONS: Final = "confirmations.parquet"
ENTRIES: Final = "entries.parquet"
FOREIGN_CONFIRMATIONS: Final = "foreign_confirmations.parquet"
FOREIGN_ENTRIES: Final = "foreign_entries.parquet"
KEYED_CONFIRMATIONS: Final = "keyed_confirmations.parquet"
KEYED_ENTRIES: Final = "keyed_entries.parquet"
TRUTH: Final = "truth.parquet"
"""Purchases that lack money: `reference`, `owed_minor`. All others lack nothing."""
_DONE: Final = "made"


def made(folder: Path, rows: int, seed: int) -> Path:
    """The folder of one day below `folder`, which is made unless it is there already."""
    day = folder / f"{rows}-{seed}"
    if not (day / _DONE).exists():
        day.mkdir(parents=True, exist_ok=True)
        generate(day, rows, seed)
        (day / _DONE).touch()
    return day


def generate(folder: Path, rows: int, seed: int) -> None:
    """Both sides in the order of time, entries a few seconds to minutes after their confirmation."""
    # The peers, whose environment does not have it, read the names of the files here.
    from reconcile.feeds.staging import PUBLISHED_FORMAT

    with duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": str(folder / "scratch")}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        _purchases(connection, rows, seed)
        _write(
            connection,
            folder / CONFIRMATIONS,
            """
            SELECT
                md5_number(concat('confirmation', i))::UUID AS confirmation_id, concat('m', i) AS message_id, 'maxit' AS provider,
                md5_number(concat(reference, account))::UUID AS match_key, md5_number(account)::UUID AS account_key,
                reference, account, account AS payer, 'XOF' AS asset, amount_minor::BIGINT AS amount_minor,
                ['airtime', 'data', 'voice'][1 + i % 3] AS product, 'success' AS outcome, 'high' AS confidence, confirmed_at,
                md5_number('batch')::UUID AS batch_id, 'smsc' AS feed, i AS row_number
            FROM purchase ORDER BY i""",
            PUBLISHED_FORMAT,
        )
        _write(connection, folder / ENTRIES, _ENTRIES, PUBLISHED_FORMAT)
        for side, id_, at in (
            ("confirmations", "format('C{:010d}', row_number)", "confirmed_at"),
            ("entries", "format('E{:010d}', row_number)", "posted_at"),
        ):
            source = folder / f"{side}.parquet"
            _write(
                connection,
                folder / f"foreign_{side}.parquet",
                f"SELECT {id_} AS id, reference, account, amount_minor, asset AS currency, {at} AS occurred_at FROM '{source}'",
            )
            _write(
                connection,
                folder / f"keyed_{side}.parquet",
                f"SELECT (hash(reference) // 2)::BIGINT AS key FROM '{source}' WHERE reference IS NOT NULL",
            )
        _write(
            connection,
            folder / TRUTH,
            f"""
            SELECT reference, CASE fate WHEN 'partial' THEN {PARTIAL_MINOR} ELSE amount_minor END::BIGINT AS owed_minor
            FROM purchase WHERE fate IN ('never', 'misdirected', 'partial', 'reversed')""",
        )


def _purchases(connection: duckdb.DuckDBPyConnection, rows: int, seed: int) -> None:
    edges, total = [], 0.0
    for fault, thousandths in FAULTS.items():
        edges.append(f"WHEN draw < {total + thousandths} THEN '{fault}'")
        total += thousandths
    connection.execute(f"""
        CREATE TEMP VIEW purchase AS
        SELECT *, CASE {" ".join(edges)} ELSE 'good' END AS fate
        FROM (
            SELECT
                i,
                (hash(i, {seed}) % 1000000) / 1000 AS draw,
                format('RC240709.{{:04d}}.A{{:09d}}', (i * 1440 // {rows}) // 60 * 100 + (i * 1440 // {rows}) % 60, i) AS reference,
                format('+22507{{:08d}}', hash(i, {seed}, 'account') % {max(1, int(rows * ACCOUNTS_PER_PURCHASE))}) AS account,
                (1 + hash(i, {seed}, 'amount') % 40)::BIGINT * 50 AS amount_minor,
                TIMESTAMPTZ '{DAY.isoformat()}' + to_microseconds((i * 86000000000 / {rows})::BIGINT // 1000000 * 1000000) AS confirmed_at,
                to_seconds(5 + (hash(i, {seed}, 'delay') % 90)::INTEGER) AS delay
            FROM range({rows}) AS numbers(i)
        )""")


_ENTRIES: Final = f"""
    WITH posted AS (
        SELECT *, 0 AS part, CASE fate WHEN 'late' THEN to_minutes(40) ELSE delay END AS after,
            CASE fate WHEN 'partial' THEN amount_minor - {PARTIAL_MINOR} ELSE amount_minor END AS posted_minor
        FROM purchase WHERE fate <> 'never'
        UNION ALL
        SELECT *, 1, to_minutes(30), CASE fate WHEN 'reversed' THEN -amount_minor ELSE amount_minor END
        FROM purchase WHERE fate IN ('doubled', 'reversed')
    ),
    shown AS (
        SELECT * REPLACE (
            CASE fate WHEN 'unreferenced' THEN NULL ELSE reference END AS reference,
            CASE fate WHEN 'misdirected' THEN concat('+22508', right(account, 8)) ELSE account END AS account
        ) FROM posted
    )
    SELECT
        md5_number(concat('entry', i, '.', part))::UUID AS entry_id,
        CASE WHEN reference IS NOT NULL THEN md5_number(concat(reference, account))::UUID END AS match_key,
        md5_number(account)::UUID AS account_key, reference, account, 'XOF' AS asset,
        posted_minor::BIGINT AS amount_minor, CASE WHEN posted_minor < 0 THEN 'reversal' ELSE 'purchase' END AS kind,
        NULL::VARCHAR AS own_key, confirmed_at + after AS posted_at,
        md5_number('batch')::UUID AS batch_id, 'ocs' AS feed, row_number() OVER (ORDER BY confirmed_at + after, i, part) AS row_number
    FROM shown ORDER BY row_number"""


def _write(connection: duckdb.DuckDBPyConnection, file: Path, query: str, form: str = FOREIGN_FORMAT) -> None:
    connection.execute(f"COPY ({query}) TO '{file}' ({form})")


if __name__ == "__main__":
    made(Path(sys.argv[1]), rows=int(sys.argv[2]), seed=int(sys.argv[3]))
