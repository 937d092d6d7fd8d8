"""What a five-minute run costs against a short and a long history.

Each day has `rows_a_day` purchases with 1.3 % faults, delivered as 288 published files a side. The history is made by folding
whole days, one fold a day; the files of a day that no next fold may read are deleted, so that nothing can open them. Then
some runs of five minutes follow, each a fold in a process of its own: `python -m benchmarks.history JOB FOLDER ROWS SEED FIRST SLOTS`.
What lacks its credit is credited six hours later, but one in a hundred, so that open breaks do not pile up for ever.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.day import ACCOUNTS_PER_PURCHASE, FAULTS, PARTIAL_MINOR
from benchmarks.job import FOLD_STEPS
from benchmarks.measured import measured
from benchmarks.running import medians, run
from benchmarks.stopwatch import Stopwatch

START = datetime(2024, 7, 1, tzinfo=UTC)
SLOTS_A_DAY = 288
SLOT = timedelta(minutes=5)
GENERATED_AT_ONCE = 48
JUDGED_HOURS = 8
"""How far back the answer of a run is compared with the truth: later credits, six hours behind, included."""

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
                CASE fate WHEN 'partial' THEN amount_minor - {PARTIAL_MINOR} ELSE amount_minor END AS posted_minor
            FROM purchase(first, beyond) WHERE fate <> 'never'
            UNION ALL
            SELECT i, fate, reference, customer, amount_minor, confirmed_at, 1, to_minutes(30),
                CASE fate WHEN 'reversed' THEN -amount_minor ELSE amount_minor END
            FROM purchase(first, beyond) WHERE fate IN ('doubled', 'reversed')
            UNION ALL
            SELECT i, 'good', reference, customer, amount_minor, confirmed_at, 2, to_hours(6), CASE fate WHEN 'partial' THEN {PARTIAL_MINOR} ELSE amount_minor END
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


def fold_slots(folder: Path, rows_a_day: int, seed: int, first_slot: int, slots: int) -> dict[str, Any]:
    """One fold of these slots on the state before them, in this process; its imports are not counted."""
    from reconcile.domain.flow import FlowRules
    from reconcile.domain.money import asset
    from reconcile.matching import state
    from reconcile.matching.fold import fold
    from reconcile.matching.watermark import Completeness, Watermark

    last_slot = first_slot + slots
    end = START + last_slot * SLOT
    complete = Watermark(end, "proven")
    confirmations, entries = (
        [str(_file(folder, side, slot)) for slot in range(first_slot, last_slot)] for side in PER_SLOT
    )
    out, read_before = folder / f"run-{last_slot:06d}", _bytes_read()
    cost = measured(
        lambda: fold(
            rules=FlowRules("topup", asset("XOF"), START, timedelta(minutes=10), timedelta(minutes=15)),
            previous=folder / f"run-{first_slot:06d}" if first_slot else None,
            confirmations=confirmations,
            entries=entries,
            own=None,
            completeness=Completeness(complete, complete),
            as_of=end,
            out=out,
        ),
        Stopwatch(FOLD_STEPS),
    )
    read_bytes = _bytes_read() - read_before
    needed = state.needed_files(out, "topup")
    for file in folder.glob("*-*.parquet"):
        if str(file) not in needed and int(file.stem[-6:]) < last_slot:
            file.unlink()
    return {
        "seconds": cost.seconds,
        "cpu_seconds": cost.cpu_seconds,
        "peak_bytes": cost.peak_bytes,
        "read_bytes": read_bytes,
        "files": len(needed),
        "wrong": wrong(out, rows_a_day, seed, last_slot),
        "steps": cost.steps,
    }


def wrong(out: Path, rows_a_day: int, seed: int, last_slot: int) -> int:
    """How many amounts, of purchases of the last hours, are held to be owed and are not by then, or are and are not held to be."""
    per_slot = rows_a_day // SLOTS_A_DAY
    first_slot = max(0, last_slot - timedelta(hours=JUDGED_HOURS) // SLOT)
    since, end = _instant(first_slot), _instant(last_slot)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("verdict", _verdicts(out))
        _define(connection, rows_a_day, seed)
        [(differing,)] = connection.execute(f"""
            WITH said AS (
                SELECT account, owed_minor FROM verdict WHERE owed_minor > 0 AND confirmed_at >= {since}
            ),
            lacking AS (
                SELECT format('+22507{{:08d}}', customer) AS account,
                    CASE fate WHEN 'partial' THEN {PARTIAL_MINOR} ELSE amount_minor END AS owed_minor
                FROM purchase({first_slot * per_slot}, {last_slot * per_slot})
                WHERE fate IN ('never', 'misdirected', 'partial', 'reversed', 'late')
                    AND confirmed_at + CASE fate WHEN 'reversed' THEN to_minutes(30) ELSE to_minutes(15) END < {end}
                    AND NOT (fate = 'late' AND confirmed_at + to_minutes(40) < {end})
                    AND NOT (fate <> 'late' AND i % 100 > 0 AND confirmed_at + to_hours(6) < {end})
            )
            SELECT (SELECT count(*) FROM (FROM said EXCEPT ALL FROM lacking)) + (SELECT count(*) FROM (FROM lacking EXCEPT ALL FROM said))
        """).fetchall()
    return int(differing)


def _verdicts(out: Path) -> pa.Table:
    """The newest version of each, those that sleep included."""
    from reconcile.matching import dormant, state

    sleeping = dormant.asleep(out.with_name("keys"), state.read(out, "topup").sleepers, "verdict")
    names = ["account", "owed_minor", "confirmed_at"]
    tables = [pq.read_table(out / state.JUDGED, columns=names), *([] if sleeping is None else [sleeping.select(names)])]
    return pa.concat_tables(tables, promote_options="permissive")


def _bytes_read() -> int:
    """What this process has read so far by system calls; mapped files are not in it."""
    return int(Path("/proc/self/io").read_text().split()[1])


def measure(folder: Path, *, rows_a_day: int, days: Sequence[int], runs: int, seed: int) -> Iterable[dict[str, Any]]:
    """A row of a result for each length: the history grows, and what was measured is a part of it."""

    def do(job: str, first_slot: int, slots: int) -> Any:
        numbers = map(str, (rows_a_day, seed, first_slot, slots))
        return json.loads(run([sys.executable, "-m", "benchmarks.history", job, str(folder), *numbers]))

    slot = 0
    for length in sorted(days):
        while slot < length * SLOTS_A_DAY:
            slots = min(SLOTS_A_DAY, length * SLOTS_A_DAY - slot)
            do("generate", slot, slots)
            do("fold", slot, slots)
            slot += slots
        do("generate", slot, runs)
        found = [do("fold", slot + number, 1) for number in range(runs)]
        slot += runs
        yield {
            "days": length,
            "rows_a_day": rows_a_day,
            "runs": runs,
            "worst_seconds": max(one["seconds"] for one in found),
            **medians(found),
            "wrong": sum(one["wrong"] for one in found),
        }


def main(job: str, folder: Path, rows_a_day: int, seed: int, first_slot: int, slots: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if job == "fold":
        print(json.dumps(fold_slots(folder, rows_a_day, seed, first_slot, slots)))
        return
    missing = [slot for slot in range(first_slot, first_slot + slots) if not _file(folder, PER_SLOT[-1], slot).exists()]
    for first in missing[::GENERATED_AT_ONCE]:
        generate(folder, rows_a_day, seed, first, min(GENERATED_AT_ONCE, first_slot + slots - first))
    print("{}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:7]))
