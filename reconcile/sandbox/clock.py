"""Business time in the sandbox: the file `clock`, replaced whole, read by everybody, moved by one."""

from datetime import datetime
from pathlib import Path

from reconcile.sandbox.files import replace_file
from reconcile.sandbox.instants import to_iso


class Clock:
    """Stands still until it is moved forward."""

    def __init__(self, path: Path, now: datetime) -> None:
        """Stand at `now`; write it into `path` unless a killed run had already moved on there."""
        self._path = path
        self._now = now
        if not path.exists():
            self._write()

    def now(self) -> datetime:
        """The business instant at which the sandbox stands."""
        return self._now

    def move(self, to: datetime) -> None:
        """Stand at `to` from here on; raises ValueError when that lies in the past."""
        if to < self._now:
            raise ValueError(f"the clock stands at {to_iso(self._now)} and does not go back to {to_iso(to)}")
        self._now = to
        self._write()

    def _write(self) -> None:
        replace_file(self._path, f"{to_iso(self._now)}\n".encode())
