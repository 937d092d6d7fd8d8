"""PostgreSQL's own join, in a server that is started for it: what a team has that keeps everything in its database."""

import shutil
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import duckdb
import psutil
import psycopg2
import sqlalchemy as sa

from benchmarks import day
from benchmarks.highest import Highest
from benchmarks.measured import Measured
from benchmarks.peers import by_hand
from benchmarks.processes import cpu_seconds, memory_bytes
from reconcile.store.embedded import EmbeddedPostgres

# What its own advice for a machine with 24 GiB comes to; the default is for one of twenty years ago.
SETTINGS = {
    "shared_buffers": "4GB",
    "work_mem": "1GB",
    "hash_mem_multiplier": "2",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "max_parallel_workers_per_gather": "2",
    "jit": "off",
}


def copy_and_join(folder: Path, out: Path) -> Measured:
    """COPY of both files in, statistics, and the same query as elsewhere; the answer comes out by COPY.

    Its seconds are those of the query. The server's processes are looked at from outside, for processor time and memory.
    """
    # Not in a folder of ours: started by root the server is somebody else, who may not enter it.
    home = Path(tempfile.mkdtemp(prefix="reconcile-benchmark-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home, settings=SETTINGS)
    try:
        url = sa.make_url(server.start())
        with closing(psycopg2.connect(host=url.query["host"], dbname=url.database, user=url.username)) as connection:
            connection.autocommit = True
            return _measured(connection, folder, out)
    finally:
        server.destroy()
        shutil.rmtree(home)


def _measured(connection: "psycopg2.extensions.connection", folder: Path, out: Path) -> Measured:
    with connection.cursor() as cursor:
        server = psutil.Process(connection.info.backend_pid).parent()
        assert server is not None
        sides = {"confirmations": day.FOREIGN_CONFIRMATIONS, "entries": day.FOREIGN_ENTRIES}
        files = {table: _as_csv(folder / name, out / f"{table}.csv") for table, name in sides.items()}
        begun = time.perf_counter()
        for table, file in files.items():
            cursor.execute(f"CREATE UNLOGGED TABLE {table} (reference text, account text, amount_minor bigint)")
            with file.open("rb") as rows:
                cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT csv)", rows)
            cursor.execute(f"ANALYZE {table}")
        loading_seconds = time.perf_counter() - begun
        query = by_hand.QUERY.format(confirmations="confirmations", entries="entries")
        memory = Highest(partial(memory_bytes, server))
        cpu_before, begun = cpu_seconds(server), time.perf_counter()
        with memory, (out / "answer.csv").open("wb") as answer:
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv)", answer)
        return Measured(
            seconds=time.perf_counter() - begun,
            cpu_seconds=cpu_seconds(server) - cpu_before,
            peak_bytes=memory.value,
            loading_seconds=loading_seconds,
        )


def _as_csv(parquet: Path, csv: Path) -> Path:
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT {', '.join(by_hand.COLUMNS)} FROM '{parquet}') TO '{csv}' (FORMAT csv, HEADER false)"
        )
    return csv
