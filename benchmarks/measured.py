"""What a piece of work cost the process that did it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.stopwatch import Stopwatch

_KIBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """`cpu_seconds` of all threads. `loading_seconds`: what had to be done before and is not in `seconds`.

    `steps`: where the seconds went, by name.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    loading_seconds: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)


def measured(work: Callable[[], object], steps: Stopwatch) -> Measured:
    begun, begun_cpu = time.perf_counter(), time.process_time()
    with steps:
        work()
    return Measured(
        seconds=time.perf_counter() - begun,
        cpu_seconds=time.process_time() - begun_cpu,
        peak_bytes=peak_bytes(),
        steps=dict(steps.seconds),
    )


def peak_bytes() -> int:
    """The most memory that this program ever held; unlike `ru_maxrss` without what its parent held when it started it."""
    [line] = [line for line in Path("/proc/self/status").read_text("ascii").splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * _KIBIBYTE
