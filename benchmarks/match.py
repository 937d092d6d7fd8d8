"""How fast `reconcile.matching` is beside a raw DuckDB join of the same files.

    python benchmarks/match.py [--rows 1000000] [--runs 5] [--seed 1] [--keep DIR]

Makes a day of confirmations and entries with 1.3 % faults, as published batches and as foreign Parquet files, then runs each
job in a process of its own, and prints medians of wall-clock seconds and of the process's peak memory. Nothing is
asserted about time.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

DAY = datetime(2024, 7, 9, tzinfo=UTC)
ACCOUNTS_PER_PURCHASE = 0.3

# Thousandths of all purchases, told apart by a digest of seed and number.
FAULTS = {
    "never": 3.5,
    "late": 2.5,
    "doubled": 2.0,
    "unreferenced": 3.0,
    "misdirected": 1.0,
    "partial": 0.5,
    "reversed": 0.5,
}


def generate(folder: Path, rows: int, seed: int) -> None:
    """Both sides in the order of time, entries a few seconds to minutes after their confirmation."""
    edges, total = [], 0.0
    for fault, thousandths in FAULTS.items():
        edges.append(f"WHEN draw < {total + thousandths} THEN '{fault}'")
        total += thousandths
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
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
        connection.execute(f"""
            COPY (
                SELECT
                    md5_number(concat('confirmation', i))::UUID AS confirmation_id, concat('m', i) AS message_id, 'maxit' AS provider,
                    md5_number(concat(reference, account))::UUID AS match_key, md5_number(account)::UUID AS account_key,
                    reference, account, account AS payer, 'XOF' AS asset, amount_minor::BIGINT AS amount_minor,
                    ['airtime', 'data', 'voice'][1 + i % 3] AS product, 'success' AS outcome, 'high' AS confidence, confirmed_at,
                    md5_number('batch')::UUID AS batch_id, 'smsc' AS feed, i AS row_number
                FROM purchase ORDER BY i
            ) TO '{folder}/confirmations.parquet' (FORMAT parquet, COMPRESSION zstd)""")
        connection.execute(f"""
            COPY (
                WITH posted AS (
                    SELECT *, 0 AS part, CASE fate WHEN 'late' THEN to_minutes(40) ELSE delay END AS after,
                        CASE fate WHEN 'partial' THEN amount_minor - 10 ELSE amount_minor END AS posted_minor
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
                FROM shown ORDER BY row_number
            ) TO '{folder}/entries.parquet' (FORMAT parquet, COMPRESSION zstd)""")
        for side, id_, at in (
            ("confirmations", "format('C{:010d}', row_number)", "confirmed_at"),
            ("entries", "format('E{:010d}', row_number)", "posted_at"),
        ):
            connection.execute(f"""
                COPY (
                    SELECT {id_} AS id, reference, account, amount_minor, asset AS currency, {at} AS occurred_at
                    FROM '{folder}/{side}.parquet'
                ) TO '{folder}/foreign_{side}.parquet' (FORMAT parquet, COMPRESSION zstd)""")


def raw_join(folder: Path, _out: Path) -> int:
    """The yardstick: the inner join on the reference strings, counted."""
    with duckdb.connect() as connection:
        query = f"SELECT count(*) FROM '{folder}/confirmations.parquet' c JOIN '{folder}/entries.parquet' e ON c.reference = e.reference"
        [(pairs,)] = connection.execute(query).fetchall()
    return int(pairs)


def published(folder: Path, out: Path) -> int:
    """A first fold of the whole day: all outputs and the state."""
    from reconcile.domain.flow import FlowRules
    from reconcile.domain.money import asset
    from reconcile.matching.fold import fold
    from reconcile.matching.watermark import Completeness, Watermark

    end = Watermark(DAY + timedelta(days=2), "proven")
    outcome = fold(
        rules=FlowRules("topup", asset("XOF"), DAY, timedelta(minutes=10), timedelta(minutes=15)),
        previous=None,
        confirmations=[str(folder / "confirmations.parquet")],
        entries=[str(folder / "entries.parquet")],
        own=None,
        completeness=Completeness(end, end),
        as_of=DAY + timedelta(days=2),
        out=out,
    )
    return outcome.counts.matched_pairs


def foreign(folder: Path, out: Path) -> int:
    """`reconcile match` on foreign files, without its page."""
    from reconcile.matching.files import match_files

    report = match_files(folder / "foreign_confirmations.parquet", folder / "foreign_entries.parquet", out=out)
    return report.confirmations


JOBS: dict[str, Callable[[Path, Path], int]] = {
    "raw join": raw_join,
    "published batches": published,
    "foreign files": foreign,
}


def run_job(name: str, folder: Path) -> dict[str, float]:
    """One job in this process, its imports not counted."""
    if name != "raw join":
        import reconcile.matching.files
        import reconcile.matching.fold  # noqa: F401 - imported so that the clock does not see it
    with tempfile.TemporaryDirectory(dir=folder) as out:
        started, started_cpu = time.perf_counter(), time.process_time()
        result = JOBS[name](folder, Path(out))
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - started_cpu
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_bytes": peak_bytes, "result": result}


def measure(folder: Path, runs: int) -> dict[str, list[dict[str, float]]]:
    """Jobs in turn, so that whatever else the machine does falls on all of them."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in JOBS}
    for _ in range(runs):
        for name in JOBS:
            command = [sys.executable, __file__, "--job", name, "--keep", str(folder)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[name].append(json.loads(done.stdout))
    return found


def table(found: dict[str, list[dict[str, float]]]) -> str:
    lines = [f"{'job':20}{'seconds':>10}{'x raw':>8}{'cpu s':>9}{'x raw':>8}{'peak GB':>9}"]
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in found.items()
    }
    raw = medians["raw join"]
    for name, of_job in medians.items():
        lines.append(
            f"{name:20}{of_job['seconds']:10.2f}{of_job['seconds'] / raw['seconds']:8.2f}"
            f"{of_job['cpu_seconds']:9.2f}{of_job['cpu_seconds'] / raw['cpu_seconds']:8.2f}{of_job['peak_bytes'] / 1e9:9.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="matching beside a raw join")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--keep", type=Path, help="where the files are made, and left; a folder that has them is used as it is"
    )
    parser.add_argument("--job", choices=[*JOBS, "generate"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job == "generate":
        generate(arguments.keep, arguments.rows, arguments.seed)
        return
    if arguments.job:
        print(json.dumps(run_job(arguments.job, arguments.keep)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "foreign_entries.parquet").exists():
            # In a process of its own: what this one ever needed would count as the peak of those that it starts.
            options = ["--rows", str(arguments.rows), "--seed", str(arguments.seed), "--keep", str(folder)]
            subprocess.run([sys.executable, __file__, "--job", "generate", *options], check=True)
        print(f"{arguments.rows:,} confirmations, 1.3 % faults, seed {arguments.seed}, medians of {arguments.runs}")
        print(table(measure(folder, arguments.runs)))


if __name__ == "__main__":
    main()
