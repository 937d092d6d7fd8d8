"""Jobs in processes of their own, one at a time, in turn: whatever else the machine does falls on all of them."""

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.job import JOBS

ROOT: Final = Path(__file__).parents[1]
PEERS: Final = ROOT / ".bench" / "bin" / "python"
"""The environment of the peers that cannot live beside what this package needs; `make bench` sets it up."""

PATIENCE_SECONDS: Final = 60
"""A job that has taken this long in all is not run again: a slow one has fewer runs."""
LIMIT_SECONDS: Final = 1_800
"""What takes longer than this counts as failed."""


class JobError(RuntimeError):
    """A job ended without a result; the message is the last that it said."""


def run(command: Sequence[str], *, limit_seconds: float = LIMIT_SECONDS) -> str:
    """Standard output of a program; raises `JobError` when it fails or takes too long."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=limit_seconds)
    except subprocess.TimeoutExpired as error:
        raise JobError(f"took more than {limit_seconds} s") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise JobError(said[-1] if said else f"ended by signal or status {done.returncode}")
    return done.stdout


def make_day(folder: Path, rows: int, seed: int) -> Path:
    """In a process of its own: this one stays small."""
    run([sys.executable, "-m", "benchmarks.day", str(folder), str(rows), str(seed)])
    return folder / f"{rows}-{seed}"


def measure(names: Sequence[str], day_folder: Path, runs: int, memory_limit: str | None = None) -> list[dict[str, Any]]:
    """For each job its medians, or why it has none, as rows of a result."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    failed: dict[str, str] = {}
    for _ in range(runs):
        for name in names:
            spent = sum(one["seconds"] + one["loading_seconds"] for one in found[name])
            if name not in failed and spent < PATIENCE_SECONDS:
                try:
                    found[name].append(_run_job(name, day_folder, memory_limit))
                except JobError as error:
                    failed[name] = str(error)
    return [
        {"job": name, "title": JOBS[name].title, "failed": failed[name]}
        if name in failed
        else {"job": name, "title": JOBS[name].title, "runs": len(found[name]), **medians(found[name])}
        for name in names
    ]


def _run_job(name: str, day_folder: Path, memory_limit: str | None) -> dict[str, Any]:
    job = JOBS[name]
    if job.is_peer and not PEERS.exists():
        raise JobError("not installed; `make bench` does it")
    command = [str(PEERS) if job.is_peer else sys.executable, "-m", "benchmarks.job", name, str(day_folder)]
    if memory_limit is not None and job.steps:
        command += ["--memory-limit", memory_limit]
    found: dict[str, Any] = json.loads(run(command))
    return found


def medians(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of each figure; `steps` are those of the run whose seconds are the median."""
    [*_, middle] = sorted(runs, key=lambda one: one["seconds"])[: len(runs) // 2 + 1]
    figures = {key: statistics.median(one[key] for one in runs) for key in middle if key != "steps"}
    return {**figures, "steps": middle["steps"]}
