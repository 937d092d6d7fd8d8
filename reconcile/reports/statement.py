"""The statement: every confirmed and posted unit of a flow, an asset and a day on exactly one line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from reconcile.reports.queries import rows_of
from reconcile.store.tables import statements

DAYS_MAX: Final = 400

_SIDES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "confirmation": ("confirmed", ("credited", "fees", "recredited", "pending", "owed", "retracted", "written_off")),
    "ledger": ("posted", ("credited", "over", "orphan", "misdirected", "unclaimed")),
    "own": ("posted", ("recredited", "untold", "over")),
    "payment": ("paid", ("explained", "pending", "not_told", "twice", "recredited", "returned")),
}
"""Side → its total and what it consists of, in the order in which people read it."""
_OUT_OF_OPEN: Final = ("credited", "fees", "recredited", "retracted", "written_off")
_SELDOM: Final = frozenset({"fees", "written_off", "retracted", "untold"})
"""Lines that are left out where nothing stands on them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: how many rows, and how much in minor units."""

    name: str
    rows: int
    minor: int

    @property
    def is_empty(self) -> bool:
        return self.rows == 0 and self.minor == 0


@dataclass(frozen=True, slots=True)
class Side:
    """One side: its parts, their total as it was counted, and what the parts leave unexplained (always nothing)."""

    name: str
    parts: list[Line]
    total: Line
    unexplained: Line


@dataclass(frozen=True, slots=True)
class Statement:
    """One flow, asset and day. `balance` leads from what was open before the day to what is open after it."""

    flow: str
    asset: str
    day: date
    verdict: str
    as_of: datetime
    confirmation_watermark: datetime | None
    ledger_watermark: datetime | None
    grade: str
    sides: list[Side]
    balance: list[Line]

    @property
    def is_green(self) -> bool:
        return self.verdict in {"reconciled", "reconciled with pending"}


def days(connection: sa.Connection) -> list[date]:
    """The days that have a statement, the newest first."""
    query = sa.select(statements.c.day).distinct().order_by(statements.c.day.desc()).limit(DAYS_MAX)
    return list(connection.execute(query).scalars())


def of_day(connection: sa.Connection, day: date) -> list[Statement]:
    """The statements of one day, by flow and asset."""
    return [_statement(row) for row in rows_of(connection, "statement", day=day)]


def _statement(row: sa.Row[Any]) -> Statement:
    stored = row.lines["sides"]
    sides = [_side(name, stored.get(name, {})) for name in _SIDES]
    # Most flows have no feed of payments.
    sides = [side for side in sides if side.name != "payment" or not side.total.is_empty]
    return Statement(
        flow=row.flow,
        asset=row.asset,
        day=row.day,
        verdict=row.verdict,
        as_of=row.as_of,
        confirmation_watermark=row.confirmation_watermark,
        ledger_watermark=row.ledger_watermark,
        grade=row.grade,
        sides=sides,
        balance=_balance(row.lines),
    )


def _side(name: str, stored: Mapping[str, Mapping[str, int]]) -> Side:
    total_name, known = _SIDES[name]
    # A line that this version does not know is shown and added up like the others: nothing may disappear from view.
    names = [*known, *sorted(stored.keys() - {total_name, *known})]
    parts = [_line(part, stored) for part in names]
    total = _line(total_name, stored)
    return Side(
        name=name,
        parts=[part for part in parts if part.name not in _SELDOM or not part.is_empty],
        total=total,
        unexplained=Line(
            "unexplained",
            total.rows - sum(part.rows for part in parts),
            total.minor - sum(part.minor for part in parts),
        ),
    )


def _balance(stored: Mapping[str, Any]) -> list[Line]:
    told = stored["sides"].get("confirmation", {})
    out = [_line(name, told) for name in _OUT_OF_OPEN]
    return [
        _line("opening", stored),
        _line("confirmed", told),
        *(Line(line.name, -line.rows, -line.minor) for line in out if not line.is_empty),
        _line("closing", stored),
    ]


def _line(name: str, stored: Mapping[str, Mapping[str, int]]) -> Line:
    found = stored.get(name, {"rows": 0, "minor": 0})
    return Line(name, int(found["rows"]), int(found["minor"]))
