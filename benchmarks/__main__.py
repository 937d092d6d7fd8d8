"""Measures, prints tables, and keeps the newest result of each part.

python -m benchmarks [PART ...] [--rows 10000000] [--runs 5] [--sizes 1 2 5 10 20 50] [--folder DIR] [--json] [--write]
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import gating, growth, history, machine, pages, parsing, running
from benchmarks.job import JOBS

PAGE = running.ROOT / "docs" / "benchmarks.md"


def _match(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    day = running.make_day(folder, options.rows, options.seed)
    found = running.measure(options.jobs, day, options.runs, options.memory_limit)
    return [{"rows": options.rows, **row} for row in found]


def _growth(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    sizes = [int(millions * 1_000_000) for millions in options.sizes]
    return growth.measure(folder, sizes=sizes, runs=options.runs, seed=options.seed, memory_limit=options.memory_limit)


def _history(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    return [
        row
        for rows_a_day, days in options.histories
        for row in history.measure(
            folder / f"history-{rows_a_day}-{options.seed}",
            rows_a_day=rows_a_day,
            days=days,
            runs=options.runs,
            seed=options.seed,
        )
    ]


def _of_history(text: str) -> tuple[int, list[int]]:
    rows_a_day, _, days = text.partition(":")
    return int(rows_a_day), [int(day) for day in days.split(",")]


def _parse(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    return parsing.measure(
        folder, count=options.messages, processes=options.processes, runs=options.runs, seed=options.seed
    )


def _gate(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    return gating.measure(running.make_day(folder, options.gate_rows, options.seed), options.runs)


PARTS: dict[str, Callable[[Path, argparse.Namespace], list[dict[str, Any]]]] = {
    "match": _match,
    "growth": _growth,
    "history": _history,
    "parse": _parse,
    "gate": _gate,
}


def main(arguments: list[str]) -> None:
    options = _options(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for part in options.parts:
            head = machine.described(arguments)
            result = {**head, "part": part, "rows": PARTS[part](folder, options)}
            options.results.mkdir(parents=True, exist_ok=True)
            (options.results / f"{part}.json").write_text(json.dumps(result, indent=1) + "\n")
    results = {
        part: json.loads(file.read_text()) for part in PARTS if (file := options.results / f"{part}.json").exists()
    }
    if options.json:
        print(json.dumps({part: results[part] for part in options.parts or results}))
    else:
        print(pages.machine(results))
        for part in options.parts or results:
            print(pages.PARTS[part](results[part]))
        print(pages.targets(results))
    if options.write:
        pages.write(PAGE, results)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="speed, and how wrong each answer is")
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"which of {', '.join(PARTS)}; all unless named; `tables` shows what is kept",
    )
    parser.add_argument("--rows", type=int, default=10_000_000, help="match: purchases in the day")
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS), help="match: which jobs")
    parser.add_argument(
        "--sizes", type=float, nargs="+", default=[1, 2, 5, 10, 20, 50], help="growth: millions of purchases"
    )
    parser.add_argument(
        "--histories",
        type=_of_history,
        nargs="+",
        metavar="ROWS:DAYS,...",
        default=[(10_000_000, [1, 7]), (1_000_000, [1, 7, 90])],
        help="history: purchases a day, and days in the lake before the runs that are measured",
    )
    parser.add_argument("--messages", type=int, default=300_000, help="parse: messages")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], help="parse: processes")
    parser.add_argument("--gate-rows", type=int, default=200_000, help="gate: rows in each delivery")
    parser.add_argument(
        "--runs", type=int, default=5, help="of each, whose median counts; a job of more than a minute has fewer"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--memory-limit", help="what DuckDB may hold in our own jobs, such as 4GB; beyond it, it spills to disk"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        help="where the data are made, used again, and left; needs 0.25 GB for a million purchases",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=running.ROOT / "var" / "benchmarks",
        help="where each part's newest result is kept",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument(
        "--write", action="store_true", help="put all kept results into docs/benchmarks.md and its picture"
    )
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - {*PARTS, "tables"}
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    options.parts = [part for part in options.parts or PARTS if part != "tables"]
    return options


if __name__ == "__main__":
    main(sys.argv[1:])
