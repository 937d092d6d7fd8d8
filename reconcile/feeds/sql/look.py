"""What a database says about itself before its rows are read, and up to when they can be called complete."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Look:
    """`clock`: the database's. `oldest_running`: when its oldest open transaction began. Both aware, UTC.

    `prepared`: there are transactions whose beginning nobody can see. `unseen`: there may be open transactions that this
    role cannot see.
    """

    clock: datetime
    oldest_running: datetime | None
    prepared: bool
    unseen: bool

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Look":
        """Reads the row of a dialect's `look`; raises `ValueError` when it names no time."""
        clock = _instant(row["clock"])
        if clock is None:
            raise ValueError("a standby that has not followed its primary since it was started")
        return cls(clock, _instant(row["oldest_running"]), bool(row["prepared"]), bool(row["unseen"]))

    def complete_through(self, since: datetime, now: datetime, commit_lag: timedelta) -> datetime:
        """The instant (exclusive) up to which no row can come that a snapshot taken after this look does not hold.

        `since`: up to where that is known already; never less than this is returned. `now`: business time.

        A row comes later than its time by as long as its transaction runs, and by what lies between its time and that
        transaction's beginning; the latter, and the former where open transactions are unseen, is what `commit_lag` says.
        """
        if self.prepared:
            return since
        known = [self.clock, now, *([self.oldest_running] if self.oldest_running else [])]
        return max(since, min(known) - commit_lag)


def _instant(value: datetime | str | None) -> datetime | None:
    """What a driver makes of a time in UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
