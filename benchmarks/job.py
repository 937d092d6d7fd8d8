"""One job in a process of its own: `python -m benchmarks.job NAME DAY`. Its imports are not counted."""

import argparse
import importlib
import json
import resource
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks import answer
from benchmarks.highest import Highest, spilled_bytes
from benchmarks.measured import Measured, measured
from benchmarks.stopwatch import Stopwatch

_RAW = "FROM '{folder}/foreign_confirmations.parquet' ANTI JOIN '{folder}/foreign_entries.parquet' USING (reference)"
_WITHOUT_A_PAIR = f"SELECT reference, amount_minor AS owed_minor {_RAW}"
_WRITTEN = "FROM '{out}/answer.parquet'"
_VERDICTS = "FROM '{out}/verdicts.parquet'"
_BREAKS = "FROM '{out}/breaks.parquet'"

FOLD_STEPS: Final = {
    "reconcile.matching.session:Session.run": "{0}.sql",
    "reconcile.matching.session:Session.write": "writing state and verdicts",
    "reconcile.matching.passes:find_plain_pairs": "pairs that fit as they stand",
    "reconcile.matching.matches_file:MatchesFile.write_plain": "writing matches (a thread beside)",
    "reconcile.matching.recalling:recall": "finding what settled before",
    "reconcile.matching.recalling:with_keys": "index of keys for the next run (a thread beside)",
    "reconcile.matching.foreign:landed": "landing the file",
    "reconcile.matching.foreign:checked": "checking each value",
    "reconcile.matching.files:render": "the page",
}


@dataclass(frozen=True, slots=True)
class Job:
    """`work`: `module:function` of (day, out). `answer`: a query for whom it holds to be owed what, run after the clock has stopped.

    `is_peer`: it runs in the environment of the peers. `steps`: see `Stopwatch`.
    """

    title: str
    work: str
    answer: str
    is_peer: bool = False
    steps: Mapping[str, str] = field(default_factory=dict)


JOBS: Final = {
    "raw-join": Job("DuckDB: inner join on the receipts, counted (1 x)", "benchmarks.peers.by_duckdb:raw_join", _WITHOUT_A_PAIR),
    "key-join": Job("DuckDB: the same on 64-bit keys", "benchmarks.peers.by_duckdb:key_join", _WITHOUT_A_PAIR),
    "written-pairs": Job("DuckDB: the same, ids of pairs written", "benchmarks.peers.by_duckdb:written_pairs", _WITHOUT_A_PAIR),
    "duckdb": Job("DuckDB: group, join, filter", "benchmarks.peers.by_duckdb:group_and_join", _WRITTEN),
    "polars": Job("Polars, streaming: the same", "benchmarks.peers.by_polars:group_and_join", _WRITTEN, is_peer=True),
    "pandas": Job("pandas: the same by merge", "benchmarks.peers.by_pandas:group_and_merge", _WRITTEN),
    "postgresql": Job(
        "PostgreSQL: the same, after COPY",
        "benchmarks.peers.by_postgresql:copy_and_join",
        "FROM read_csv('{out}/answer.csv', header = false, columns = {{reference: 'VARCHAR', owed_minor: 'BIGINT'}})",
    ),
    "datacompy": Job("datacompy: compare", "benchmarks.peers.by_datacompy:compare", _WRITTEN, is_peer=True),
    "published": Job("reconcile: published batches", "benchmarks.ours:published_batches", _VERDICTS, steps=FOLD_STEPS),
    "foreign": Job("reconcile: foreign files", "benchmarks.ours:foreign_files", _BREAKS, steps=FOLD_STEPS),
    "page": Job("reconcile: foreign files and the page", "benchmarks.ours:foreign_files_and_page", _BREAKS, steps=FOLD_STEPS),
    "spark": Job("reconcile: foreign files, Spark with its start", "benchmarks.ours:foreign_files_on_spark", _BREAKS),
}  # fmt: skip

MEMORY_LIMIT_BYTES: Final = 16 * 2**30
"""What a job may hold of its own: a peer that wants more than the machine has must not take others down with it."""


def run(name: str, folder: Path, out: Path, memory_limit: str | None = None) -> dict[str, Any]:
    """What it cost, and how wrong its answer is."""
    job = JOBS[name]
    module, _, function = job.work.partition(":")
    work = getattr(importlib.import_module(module), function)
    if memory_limit is not None:
        work = partial(work, memory_limit=memory_limit)
    found: list[Measured | None] = []
    with Highest(partial(spilled_bytes, out)) as spilled:
        cost = measured(lambda: found.append(work(folder, out)), Stopwatch(job.steps))
    own = asdict(found[0] or cost)
    return {
        **own,
        "spilled_bytes": spilled.value,
        **asdict(answer.wrong(folder, job.answer.format(folder=folder, out=out))),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("day", type=Path)
    parser.add_argument("--memory-limit")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    with tempfile.TemporaryDirectory(dir=arguments.day) as out:
        print(json.dumps(run(arguments.job, arguments.day, Path(out), arguments.memory_limit)))


if __name__ == "__main__":
    main()
