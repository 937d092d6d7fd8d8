"""An end to work that may hang: a driver that waits for an answer cannot be interrupted from within."""

import threading
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


class OverdueError(RuntimeError):
    """The work took longer than it may. Its thread is left behind, and ends with the process if not before."""


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """What `work` returns or raises; raises `OverdueError` after `seconds` of machine time."""
    results: list[_T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread that waits
            errors.append(error)

    worker = threading.Thread(target=run, daemon=True, name="reconcile-feed-reader")
    worker.start()
    worker.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise OverdueError(f"took longer than {seconds:g} s")
    return results[0]
