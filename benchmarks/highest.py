import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

SAMPLE_SECONDS: Final = 0.25


class Highest:
    """The highest value that `look` had while the block ran, looked at every quarter of a second."""

    def __init__(self, look: Callable[[], int]) -> None:
        self.value = 0
        self._look = look
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        ended = False
        while not ended:
            ended = self._done.wait(SAMPLE_SECONDS)
            self.value = max(self.value, self._look())


def spilled_bytes(out: Path) -> int:
    """What DuckDB has put on disk by now, in the scratch folders of our sessions."""
    found = 0
    for file in out.glob("scratch-*/**/*"):
        try:
            found += file.stat().st_size
        except FileNotFoundError:
            continue  # it comes and goes
    return found
