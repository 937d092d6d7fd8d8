"""How far numbers without gaps reach: what is complete, and what is missing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers that one delivery brought, from `first` to `last`. `through`: the time up to which they reach, if it is known."""

    first: int
    last: int
    through: datetime | None


@dataclass(frozen=True, slots=True)
class Reach:
    """All numbers from `first` to `last` are there, up to the time `through`. `gap`: what is missing before the next ones."""

    first: int
    last: int
    through: datetime | None
    gap: tuple[int, int] | None = None


def reach(known: Reach | None, ranges: Iterable[NumberRange]) -> Reach | None:
    """How far the numbers of one node reach, from what was `known` (None: from the smallest) and the ranges that came since."""
    ordered = sorted(ranges, key=lambda one: (one.first, one.last))
    if known is None:
        if not ordered:
            return None
        known = Reach(ordered[0].first, ordered[0].first - 1, None)
    last, through = known.last, known.through
    for one in ordered:
        if one.first > last + 1:
            return Reach(known.first, last, through, (last + 1, one.first - 1))
        last = max(last, one.last)
        through = max((moment for moment in (through, one.through) if moment is not None), default=None)
    return Reach(known.first, last, through)
