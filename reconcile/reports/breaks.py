"""Breaks by kind and age, as the table that people read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

AGES: Final = ("30m", "1h", "2h", "4h", "1d", "longer")
"""The columns, by the number that `sql/reports/breaks.sql` gives each: how long a break lasted, or has lasted."""


@dataclass(slots=True)
class BreakLine:
    """All breaks of one kind in one asset. `counts`: one for each of `AGES`."""

    asset: str
    kind: str
    counts: list[int] = field(default_factory=lambda: [0] * len(AGES))
    open_count: int = 0
    minor: int = 0
    owed_minor: int = 0

    @property
    def case_count(self) -> int:
        return sum(self.counts)


def by_kind(rows: Sequence[sa.Row[Any]]) -> list[BreakLine]:
    """One line for each asset and kind, the most frequent kind first."""
    lines: dict[tuple[str, str], BreakLine] = {}
    for row in rows:
        line = lines.setdefault((row.asset, row.kind), BreakLine(row.asset, row.kind))
        line.counts[row.age] += row.case_count
        line.open_count += row.open_count
        line.minor += row.minor
        line.owed_minor += row.owed_minor
    return sorted(lines.values(), key=lambda line: (line.asset, -line.case_count, line.kind))
