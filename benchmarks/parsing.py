"""How many messages a second `reconcile parse` reads, the whole command, on one process and on several."""

import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import messages
from benchmarks.running import ROOT, medians

MIXES: Final = {messages.OPERATOR: "of one operator", "": "of all formats in turn"}


def measure(folder: Path, *, count: int, processes: Sequence[int], runs: int, seed: int) -> list[dict[str, Any]]:
    """Rows of a result: for each mixture and number of processes the median, and how wrong the readings are."""
    rows = []
    for operator, mix in MIXES.items():
        lines, truth = messages.write(folder, count, operator, seed)
        for number in processes:
            found = [_run(lines, number, folder / "readings.jsonl") for _ in range(runs)]
            row = medians(found)
            rows.append(
                {
                    "mix": mix,
                    "processes": number,
                    "messages": count,
                    "runs": runs,
                    **row,
                    "rate": count / row["seconds"],
                    **messages.compared(folder / "readings.jsonl", truth),
                }
            )
    return rows


def _run(lines: Path, processes: int, readings: Path) -> dict[str, Any]:
    """Start of the command and of its processes included."""
    command = [sys.executable, "-m", "reconcile.cli", "parse", str(lines), "--processes", str(processes)]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with readings.open("wb") as out:
        subprocess.run(command, cwd=ROOT, stdout=out, check=True)
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "steps": {}}
