"""Faults of the charging API that can be switched on, and which of them strikes a given call."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from reconcile.sandbox.database import Database
from reconcile.sandbox.seeded import chance


class Fault(StrEnum):
    """What can go wrong with one submission."""

    REPLY_LOST = "reply_lost"  # credited, and the line is dropped
    ERROR_AFTER_SUCCESS = "error_after_success"  # credited, and answered with 500
    REQUEST_LOST = "request_lost"  # the line is dropped before anything was done
    PENDING_THEN_COMPLETED = "pending_then_completed"  # takes effect at the second poll, or when the clock moves
    DUPLICATE_400 = "duplicate_400"  # credited, and answered with "duplicate" although it was the first
    SLOW = "slow"  # credited, and answered late


LOW_RATES: Final[Mapping[str, float]] = {
    Fault.REPLY_LOST: 0.01,
    Fault.ERROR_AFTER_SUCCESS: 0.01,
    Fault.REQUEST_LOST: 0.01,
    Fault.PENDING_THEN_COMPLETED: 0.03,
    Fault.DUPLICATE_400: 0.005,
    Fault.SLOW: 0.01,
}
NO_RATES: Final[Mapping[str, float]] = dict.fromkeys(LOW_RATES, 0.0)
DEFAULT_SLOW_SECONDS: Final = 3.0
SLOW_SECONDS_MAX: Final = 60.0
_SLOW_SECONDS: Final = "slow_seconds"


class FaultStore:
    """The probabilities in force, durable; a draw depends on the seed, the id and the number of the try alone."""

    def __init__(self, database: Database, seed: int, initial_rates: Mapping[str, float]) -> None:
        """Start with `initial_rates` where this home has none yet."""
        self._database = database
        self._seed = seed
        with database.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO fault VALUES (?, ?)",
                [*initial_rates.items(), (_SLOW_SECONDS, DEFAULT_SLOW_SECONDS)],
            )
        self._values = self._read()

    @property
    def slow_seconds(self) -> float:
        """How long a slow answer takes."""
        return self._values[_SLOW_SECONDS]

    def values(self) -> dict[str, float]:
        """Probability per fault, and `slow_seconds`."""
        return dict(self._values)

    def change(self, wanted: Mapping[str, object]) -> dict[str, float]:
        """Set the named ones and leave the others; raises ValueError on an unknown name or an impossible value."""
        changed = dict(self._values)
        for name, value in wanted.items():
            changed[name] = _checked(name, value)
        if sum(changed[fault] for fault in Fault) > 1:
            raise ValueError("the probabilities add up to more than 1: at most one fault strikes a call")
        with self._database.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO fault VALUES (?, ?)", list(changed.items()))
        self._values = self._read()
        return self.values()

    def strike(self, correlation_id: str, number: int) -> Fault | None:
        """The fault that strikes try `number` of this id, if any."""
        return draw_fault(self._values, chance(self._seed, "fault", correlation_id, number))

    def _read(self) -> dict[str, float]:
        return {row["name"]: row["value"] for row in self._database.rows("SELECT name, value FROM fault ORDER BY name")}


def draw_fault(rates: Mapping[str, float], drawn: float) -> Fault | None:
    """The fault in whose share of [0, 1) the drawn number lies."""
    upto = 0.0
    for fault in Fault:
        upto += rates[fault]
        if drawn < upto:
            return fault
    return None


def _checked(name: str, value: object) -> float:
    known = [*Fault, _SLOW_SECONDS]
    if name not in known:
        raise ValueError(f"{name!r} is no fault: there are {', '.join(known)}")
    highest = SLOW_SECONDS_MAX if name == _SLOW_SECONDS else 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
        raise ValueError(f"{name} = {value!r}: expected a number from 0 to {highest:g}")
    return float(value)
