"""The statement: every confirmed unit and every posted unit on one line, with nothing unexplained."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Literal

from reconcile.matching.watermark import Completeness

StatementVerdict = Literal["reconciled", "reconciled with pending", "breaks", "incomplete"]

PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "confirmation": (
        "confirmed",
        ("credited", "fees", "recredited", "pending", "owed", "retracted", "written_off"),
    ),
    "ledger": ("posted", ("credited", "over", "orphan", "misdirected", "unclaimed")),
    "own": ("posted", ("recredited", "untold", "over")),
    "payment": ("paid", ("explained", "pending", "not_told", "twice", "recredited", "returned")),
}
"""Side → its total and the lines that must add up to it, in rows and in money. Our own credits and payments are
sides of their own."""


@dataclass(frozen=True, slots=True)
class Line:
    """So many rows, worth so much in minor units (reversals negative)."""

    rows: int = 0
    minor: int = 0

    def __add__(self, other: "Line") -> "Line":
        return Line(self.rows + other.rows, self.minor + other.minor)

    def __sub__(self, other: "Line") -> "Line":
        return Line(self.rows - other.rows, self.minor - other.minor)


@dataclass(frozen=True, slots=True)
class StatementDay:
    """One flow, asset and day (UTC): side → line → `Line`, all lines of `PARTS` present.

    `opening` and `closing` are what was confirmed and not yet made whole before and after the day, as known now:
    opening + confirmed - credited - fees - recredited - retracted - written off = closing.
    """

    flow: str
    asset: str
    day: date
    lines: Mapping[str, Mapping[str, Line]]
    opening: Line
    closing: Line
    verdict: StatementVerdict


class ConservationError(AssertionError):
    """The statement does not add up. This is a bug: nothing of this run may be published."""


def statement(
    flow: str,
    lines: Iterable[tuple[str, date, str, str, int, int]],
    broken: Mapping[tuple[str, date], int],
    *,
    completeness: Completeness,
    deadline_after: timedelta,
    as_of: datetime,
) -> tuple[StatementDay, ...]:
    """Days in order of asset and day, from rows (asset, day, side, line, rows, minor).

    `broken`: open breaks by (asset, day). Raises `ConservationError`.
    """
    days: list[StatementDay] = []
    ordered = sorted(lines)
    for asset, of_asset in groupby(ordered, key=lambda row: row[0]):
        opening = Line()
        for day, of_day in groupby(of_asset, key=lambda row: row[1]):
            table = _table(tuple(of_day))
            _check(flow, asset, day, table)
            told = table["confirmation"]
            closing = opening + told["pending"] + told["owed"]
            verdict: StatementVerdict
            if is_incomplete(day, completeness, deadline_after, as_of):
                verdict = "incomplete"
            elif broken.get((asset, day), 0):
                verdict = "breaks"
            elif told["pending"].rows or table["ledger"]["unclaimed"].minor:
                verdict = "reconciled with pending"
            else:
                verdict = "reconciled"
            days.append(StatementDay(flow, asset, day, table, opening, closing, verdict))
            opening = closing
    return tuple(days)


def is_incomplete(day: date, completeness: Completeness, deadline_after: timedelta, as_of: datetime) -> bool:
    """Whether a feed has stalled: no watermark past the deadlines that had passed one deadline ago."""
    through = completeness.through
    if through is None:
        return True
    end_of_day = datetime.combine(day, time.min, UTC) + timedelta(days=1)
    return through < min(as_of - deadline_after, end_of_day + deadline_after)


def _table(rows: Sequence[tuple[str, date, str, str, int, int]]) -> dict[str, dict[str, Line]]:
    table = {side: {total: Line(), **{part: Line() for part in parts}} for side, (total, parts) in PARTS.items()}
    for _, _, side, line, count, minor in rows:
        table[side][line] += Line(count, minor)
    return table


def _check(flow: str, asset: str, day: date, table: Mapping[str, Mapping[str, Line]]) -> None:
    for side, (total, parts) in PARTS.items():
        unexplained = sum((table[side][part] for part in parts), Line()) - table[side][total]
        if unexplained != Line():
            raise ConservationError(
                f"{flow} {asset} {day}: {unexplained.minor} minor units in {unexplained.rows} rows "
                f"of the {side} side stand on no line"
            )
