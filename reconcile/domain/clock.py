"""Business time: deadlines, watermarks and policies ask an injected clock. Machine time (leases, time-outs) is always real."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Answers one question; the answer is aware and in UTC."""

    def now(self) -> datetime: ...


class ClockError(RuntimeError):
    """The file that carries business time is missing or does not hold one instant with a zone."""


class WallClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FileClock:
    """The instant that another process keeps in a file as ISO 8601 text, such as the sandbox's tick; read at each call."""

    path: Path

    def now(self) -> datetime:
        try:
            return parse_instant(self.path.read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise ClockError(f"no business time in {self.path}: {error}") from error


@dataclass(frozen=True, slots=True)
class FixedClock:
    """Always the same instant."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant


def parse_instant(text: str) -> datetime:
    """ISO 8601 text with a zone → aware UTC; raises `ValueError` for anything else, also for a time without a zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    return instant.astimezone(UTC)
