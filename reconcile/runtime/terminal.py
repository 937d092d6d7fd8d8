"""What the daemon says while it works: lines that stay, and on a terminal a sign that something is going on."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.text import Text

from reconcile.runtime.summary import Line


class Terminal:
    """Plain lines where the output is a file; colours and a spinner where it is a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)

    def say(self, text: str = "", *, style: str = "") -> None:
        self._console.print(Text(text, style=style))

    def say_all(self, lines: list[Line]) -> None:
        for line in lines:
            self.say(line.text, style=line.style)

    def working(self, what: str) -> AbstractContextManager[object]:
        """Show `what` while the block runs, on a terminal; leave nothing."""
        return self._console.status(Text(what))

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Show `what` while the block runs; leave a line with its seconds when it ends well."""
        begun = time.monotonic()
        with self.working(what):
            yield
        self.say(f"{what} · {time.monotonic() - begun:.1f} s", style="dim")
