"""What this package does with the same files: all passes, all kinds of breaks, all outputs written."""

import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import psutil

from benchmarks import day
from benchmarks.highest import Highest
from benchmarks.measured import Measured
from benchmarks.processes import cpu_seconds, memory_bytes
from reconcile.domain.flow import FlowRules
from reconcile.domain.money import asset
from reconcile.matching.engine import Engine
from reconcile.matching.files import match_files
from reconcile.matching.fold import fold
from reconcile.matching.spark import SparkCluster
from reconcile.matching.watermark import Completeness, Watermark

RULES = FlowRules("topup", asset("XOF"), day.DAY, timedelta(minutes=10), timedelta(minutes=15))


def published_batches(folder: Path, out: Path, memory_limit: str | None = None) -> None:
    """A first fold of the whole day, as the feeds publish it."""
    end = Watermark(day.DAY + timedelta(days=2), "proven")
    fold(
        rules=RULES,
        previous=None,
        confirmations=[str(folder / day.CONFIRMATIONS)],
        entries=[str(folder / day.ENTRIES)],
        own=None,
        completeness=Completeness(end, end),
        as_of=day.DAY + timedelta(days=2),
        out=out,
        keys=out / "keys",  # what an earlier run wrote is not written again
        engine=Engine(memory_limit=memory_limit),
    )


def foreign_files(folder: Path, out: Path, memory_limit: str | None = None) -> None:
    """`reconcile match` on files of somebody else."""
    match_files(
        folder / day.FOREIGN_CONFIRMATIONS,
        folder / day.FOREIGN_ENTRIES,
        out=out,
        engine=Engine(memory_limit=memory_limit),
    )


def foreign_files_on_spark(folder: Path, out: Path) -> Measured:
    """`reconcile match --engine spark`, on this machine: its start is in the seconds, the Java machine and all workers in the rest."""
    this, begun = psutil.Process(), time.perf_counter()
    before = cpu_seconds(this)
    with Highest(partial(memory_bytes, this)) as memory, SparkCluster() as cluster:
        match_files(
            folder / day.FOREIGN_CONFIRMATIONS, folder / day.FOREIGN_ENTRIES, out=out, engine=Engine(cluster=cluster)
        )
        spent = cpu_seconds(this) - before
    return Measured(seconds=time.perf_counter() - begun, cpu_seconds=spent, peak_bytes=memory.value)


def foreign_files_and_page(folder: Path, out: Path, memory_limit: str | None = None) -> None:
    """`reconcile match --report`."""
    match_files(
        folder / day.FOREIGN_CONFIRMATIONS,
        folder / day.FOREIGN_ENTRIES,
        out=out,
        report=out / "page.html",
        engine=Engine(memory_limit=memory_limit),
    )
