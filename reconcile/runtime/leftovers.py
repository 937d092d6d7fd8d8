"""Finds and ends what a run started, also when the process that knew about it was killed.

Process numbers in a file are not enough: Airflow's workers fork, and a number may be somebody else's by now. So every
process is started with a mark in its environment, which its children inherit and which the kernel remembers.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

MARK = "RECONCILE_STARTED_BY"
POLL_SECONDS = 0.02


def marked(environment: dict[str, str], home: Path) -> dict[str, str]:
    """`environment` with the mark of `home` in it."""
    # Airflow renames its processes, and would otherwise write the new name over the old environment.
    return {**environment, MARK: str(home), "SPT_NOENV": "1"}


def running(home: Path) -> list[int]:
    """The processes with the mark of `home`, without this one. Zombies are not counted: they run no more."""
    mark = f"{MARK}={home}".encode()
    return [pid for pid in _numbers() if pid != os.getpid() and mark in _environment(pid)]


def end(home: Path, *, limit_seconds: float) -> int:
    """Ask the processes of `home` to end, and kill those that still run after `limit_seconds`; how many there were."""
    found = running(home)
    _send(found, signal.SIGTERM)
    give_up = time.monotonic() + limit_seconds
    while (left := running(home)) and time.monotonic() < give_up:
        time.sleep(POLL_SECONDS)
    while left:  # again and again: one may be forking while the others are killed
        _send(left, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
        left = running(home)
    return len(found)


def _send(pids: list[int], how: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)


def _numbers() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it ended meanwhile, or belongs to somebody else
        return []
