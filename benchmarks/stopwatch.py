"""Where the seconds go: functions that are timed while they run, each without what it calls of the others."""

import importlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import wraps
from typing import Any, Self
from unittest.mock import patch


class Stopwatch:
    """`targets`: `module:function` or `module:Class.method` → the name of its step, in which `{0}` is its first argument.

    Seconds of threads that run side by side are both counted, so the steps may come to more than the whole.
    """

    def __init__(self, targets: Mapping[str, str]) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._targets = targets
        self._stack = ExitStack()
        self._inner = threading.local()

    def __enter__(self) -> Self:
        for target, step in self._targets.items():
            module, _, path = target.partition(":")
            *owners, name = path.split(".")
            owner: Any = importlib.import_module(module)
            for part in owners:
                owner = getattr(owner, part)
            self._stack.enter_context(patch.object(owner, name, self._timed(getattr(owner, name), step, bool(owners))))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _timed(self, work: Callable[..., Any], step: str, is_method: bool) -> Callable[..., Any]:
        @wraps(work)
        def timed(*arguments: Any, **named: Any) -> Any:
            outer, self._inner.seconds = getattr(self._inner, "seconds", 0.0), 0.0
            begun = time.perf_counter()
            try:
                return work(*arguments, **named)
            finally:
                whole = time.perf_counter() - begun
                self.seconds[step.format(*arguments[is_method:])] += whole - self._inner.seconds
                self._inner.seconds = outer + whole

        return timed
