"""What a five-minute run costs against a short and a long history.

    python benchmarks/history.py [--rows-a-day 1000000] [--days 1 7 90] [--runs 7] [--seed 1] [--keep DIR]

Each day has `rows-a-day` purchases with 1.3 % faults, delivered as 288 published files a side. The history is made by folding
whole days, one fold a day; the files of a day that no next fold may read are deleted, so that nothing can open them. Then
`runs` runs of five minutes follow, each a fold in a process of its own. Prints medians and the worst. Nothing is asserted.
What lacks its credit is credited six hours later, but one in a hundred, so that open breaks do not pile up for ever.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

START = datetime(2024, 7, 1, tzinfo=UTC)
SLOTS_A_DAY = 288
SLOT = timedelta(minutes=5)
ACCOUNTS_PER_PURCHASE = 0.3
FOLDED_AT_ONCE = SLOTS_A_DAY

# Thousandths of all purchases, as in `match.py`.
FAULTS = {
    "never": 3.5,
    "late": 2.5,
    "doubled": 2.0,
    "unreferenced": 3.0,
    "misdirected": 1.0,
    "partial": 0.5,
    "reversed": 0.5,
}
PER_SLOT = ("confirmations", "entries")


def generate(folder: Path, rows_a_day: int, seed: int, first_slot: int, slots: int) -> None:
    """Published files `{side}-{slot}.parquet` of some slots: confirmations by when they were told, entries by when they were posted."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        _define(connection, rows_a_day, seed)
        per_slot = rows_a_day // SLOTS_A_DAY
        last_slot = first_slot + slots
        connection.execute(f"""
            CREATE TEMP TABLE told AS
            SELECT confirmed_at AS moment, * FROM purchase({first_slot * per_slot}, {last_slot * per_slot}) ORDER BY i""")
        # What was posted now was told up to seven hours ago.
        behind = max(0, first_slot - 84) * per_slot
        connection.execute(f"""
            CREATE TEMP TABLE posted AS
            SELECT * FROM posting({behind}, {last_slot * per_slot})
            WHERE moment >= {_instant(first_slot)} AND moment < {_instant(last_slot)} ORDER BY moment, i, part""")
        connection.execute(_ROWS)
        for slot in range(first_slot, last_slot):
            for side, table in zip(PER_SLOT, ("told", "posted"), strict=True):
                query = f"""
                    SELECT * EXCLUDE (i, moment), md5_number('{side} {slot}')::UUID AS batch_id, '{side}' AS feed, row_number() OVER () AS row_number
                    FROM (SELECT * FROM {table}_row WHERE moment >= {_instant(slot)} AND moment < {_instant(slot + 1)})"""
                connection.execute(
                    f"COPY ({query}) TO '{_file(folder, side, slot)}' (FORMAT parquet, COMPRESSION zstd)"
                )


def _define(connection: duckdb.DuckDBPyConnection, rows_a_day: int, seed: int) -> None:
    edges, total = [], 0.0
    for fault, thousandths in FAULTS.items():
        edges.append(f"WHEN draw < {total + thousandths} THEN '{fault}'")
        total += thousandths
    connection.execute(f"""
        CREATE TEMP MACRO id(kind, number) AS (hash(kind, number, {seed})::UHUGEINT << 64 | hash(number, kind, {seed})::UHUGEINT)::UUID;
        CREATE TEMP MACRO purchase(first, beyond) AS TABLE
        SELECT *, CASE {" ".join(edges)} ELSE 'good' END AS fate
        FROM (
            SELECT
                i,
                (hash(i, {seed}) % 1000000) / 1000 AS draw,
                format('RC{{:010d}}', i) AS reference,
                hash(i, {seed}, 'account') % {max(1, int(rows_a_day * ACCOUNTS_PER_PURCHASE))} AS customer,
                (1 + hash(i, {seed}, 'amount') % 40)::BIGINT * 50 AS amount_minor,
                {_instant(0)} + to_microseconds(i * {SLOT // timedelta(microseconds=1)} // {rows_a_day // SLOTS_A_DAY}) AS confirmed_at,
                to_seconds(5 + (hash(i, {seed}, 'delay') % 90)::INTEGER) AS delay
            FROM range(first, beyond) AS numbers(i)
        );
        CREATE TEMP MACRO posting(first, beyond) AS TABLE
        WITH part AS (
            SELECT i, fate, reference, customer, amount_minor, confirmed_at, 0 AS part,
                CASE fate WHEN 'late' THEN to_minutes(40) ELSE delay END AS after,
                CASE fate WHEN 'partial' THEN amount_minor - 10 ELSE amount_minor END AS posted_minor
            FROM purchase(first, beyond) WHERE fate <> 'never'
            UNION ALL
            SELECT i, fate, reference, customer, amount_minor, confirmed_at, 1, to_minutes(30),
                CASE fate WHEN 'reversed' THEN -amount_minor ELSE amount_minor END
            FROM purchase(first, beyond) WHERE fate IN ('doubled', 'reversed')
            UNION ALL
            SELECT i, 'good', reference, customer, amount_minor, confirmed_at, 2, to_hours(6), CASE fate WHEN 'partial' THEN 10 ELSE amount_minor END
            FROM purchase(first, beyond) WHERE fate IN ('never', 'misdirected', 'partial', 'reversed') AND i % 100 > 0
        )
        SELECT *, confirmed_at + after AS moment FROM part;
        CREATE TEMP MACRO named(reference, customer) AS hash(reference, customer);""")


_ROWS = """
        CREATE TEMP VIEW told_row AS
        SELECT
            i, moment, id('confirmation', i) AS confirmation_id, concat('m', i) AS message_id, 'maxit' AS provider,
            id('key', named(reference, customer)) AS match_key, id('account', customer) AS account_key, reference,
            format('+22507{:08d}', customer) AS account, format('+22507{:08d}', customer) AS payer, 'XOF' AS asset, amount_minor,
            ['airtime', 'data', 'voice'][1 + i % 3] AS product, 'success' AS outcome, 'high' AS confidence, confirmed_at
        FROM told;
        CREATE TEMP VIEW posted_row AS
        SELECT
            i, moment, id('entry', i * 3 + part) AS entry_id,
            CASE WHEN reference IS NOT NULL THEN id('key', named(reference, customer)) END AS match_key,
            id('account', customer) AS account_key, reference, format('+22507{:08d}', customer) AS account, 'XOF' AS asset,
            posted_minor::BIGINT AS amount_minor, CASE WHEN posted_minor < 0 THEN 'reversal' ELSE 'purchase' END AS kind,
            NULL::VARCHAR AS own_key, moment AS posted_at
        FROM (
            SELECT * REPLACE (
                CASE fate WHEN 'unreferenced' THEN NULL ELSE reference END AS reference,
                CASE fate WHEN 'misdirected' THEN customer + 50000000 ELSE customer END AS customer
            ) FROM posted
        );"""


def _instant(slot: int) -> str:
    return f"TIMESTAMPTZ '{(START + slot * SLOT).isoformat()}'"


def _file(folder: Path, side: str, slot: int) -> Path:
    return folder / f"{side}-{slot:06d}.parquet"


def fold_slots(folder: Path, first_slot: int, slots: int) -> dict[str, float]:
    """One fold of these slots on the state before them, in this process; its imports are not counted."""
    from reconcile.domain.flow import FlowRules
    from reconcile.domain.money import asset
    from reconcile.matching import state
    from reconcile.matching.fold import fold
    from reconcile.matching.watermark import Completeness, Watermark

    last_slot = first_slot + slots
    end = START + last_slot * SLOT
    complete = Watermark(end, "proven")
    previous = folder / f"run-{first_slot:06d}" if first_slot else None
    confirmations, entries = (
        [str(_file(folder, side, slot)) for slot in range(first_slot, last_slot)] for side in PER_SLOT
    )
    before, read_before = resource.getrusage(resource.RUSAGE_SELF), _bytes_read()
    started = time.perf_counter()
    outcome = fold(
        rules=FlowRules("topup", asset("XOF"), START, timedelta(minutes=10), timedelta(minutes=15)),
        previous=previous,
        confirmations=confirmations,
        entries=entries,
        own=None,
        completeness=Completeness(complete, complete),
        as_of=end,
        out=folder / f"run-{last_slot:06d}",
    )
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    needed = state.needed_files(outcome.folder, "topup")
    for file in folder.glob("*-*.parquet"):
        if str(file) not in needed and int(file.stem[-6:]) < last_slot:
            file.unlink()
    return {
        "seconds": seconds,
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_bytes": after.ru_maxrss * 1024,
        "read_bytes": _bytes_read() - read_before,
        "open_items": outcome.counts.open_confirmations + outcome.counts.open_entries,
        "files": len(needed),
        "rows": outcome.counts.new_confirmations + outcome.counts.new_entries,
    }


def _bytes_read() -> int:
    """What this process has read so far by system calls; mapped files are not in it."""
    return int(Path("/proc/self/io").read_text().split()[1])


def _job(name: str, folder: Path, options: argparse.Namespace, first_slot: int, slots: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--job", name, "--keep", str(folder), "--rows-a-day", str(options.rows_a_day)]
    command += ["--seed", str(options.seed), "--first-slot", str(first_slot), "--slots", str(slots)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def measure(folder: Path, options: argparse.Namespace) -> None:
    """The history grows; at each length that was asked for it is measured. What was measured is a part of it."""
    print(
        f"{'days':>5}{'median s':>10}{'worst s':>9}{'cpu s':>8}{'peak GB':>9}{'read MB':>9}{'files':>7}{'open items':>12}"
    )
    slot = 0
    for days in sorted(options.days):
        while slot < days * SLOTS_A_DAY:
            slots = min(FOLDED_AT_ONCE, days * SLOTS_A_DAY - slot)
            _job("generate", folder, options, slot, slots)
            _job("fold", folder, options, slot, slots)
            slot += slots
        _job("generate", folder, options, slot, options.runs)
        found = [_job("fold", folder, options, slot + run, 1) for run in range(options.runs)]
        slot += options.runs
        median = {key: statistics.median(run[key] for run in found) for key in found[0]}
        print(
            f"{days:5}{median['seconds']:10.3f}{max(run['seconds'] for run in found):9.3f}{median['cpu_seconds']:8.2f}"
            f"{median['peak_bytes'] / 1e9:9.2f}{median['read_bytes'] / 1e6:9.1f}{median['files']:7.0f}{median['open_items']:12,.0f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="the cost of a five-minute run, by the length of its history")
    parser.add_argument("--rows-a-day", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, nargs="+", default=[1, 7, 90])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="an empty folder in which the files are made, and left")
    parser.add_argument("--job", choices=["generate", "fold"], help=argparse.SUPPRESS)
    parser.add_argument("--first-slot", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--slots", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job == "generate":
        generate(options.keep, options.rows_a_day, options.seed, options.first_slot, options.slots)
        print("{}")
    elif options.job == "fold":
        print(json.dumps(fold_slots(options.keep, options.first_slot, options.slots)))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            folder = options.keep or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            print(
                f"{options.rows_a_day:,} purchases a day, 1.3 % faults, seed {options.seed}, {options.runs} runs of five minutes each"
            )
            measure(folder, options)


if __name__ == "__main__":
    main()
