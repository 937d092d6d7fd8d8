"""The one step of matching that SQL cannot do as a set: who takes which entry, among equals, in time order.

All rows of a class have the same account, asset and amount. Each confirmation, in time order, takes the earliest free
entry within its window; windows are equally long, so that this leaves as few confirmations without an entry as possible
(taking the nearest entry does not). Where references forbid some pairs, an earlier confirmation is moved to another
entry when that lets one more be matched.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

MAX_AUGMENTED_CLASS = 2_000
"""Rows of one class up to which confirmations are moved to make room for others; beyond it, first come, first served."""


class Candidate(NamedTuple):
    """One row of the table `candidate` of `sql/match/identity.sql`; `contest` numbers the classes, `at_us` is microseconds
    since 1970 in UTC, `id` a group or unit, and
    `named` says that it has a reference that means something.
    """

    contest: int
    side: str
    at_us: int
    id: int
    named: bool


class Link(NamedTuple):
    """The entry or group of entries `unit_id` belongs to the group `group_id`, as this pass says."""

    unit_id: int
    group_id: int
    found_by: str


@dataclass(slots=True)
class _Class:
    confirmations: list[Candidate] = field(default_factory=list)
    entries: list[Candidate] = field(default_factory=list)
    cancelled: list[Candidate] = field(default_factory=list)
    reversals: list[Candidate] = field(default_factory=list)


def link_all(candidates: Sequence[Candidate], window_us: int) -> Iterator[Link]:
    """Links of all classes. `candidates` must be sorted by contest, at_us, side, id."""
    for _, rows in groupby(candidates, key=lambda row: row.contest):
        contested = _Class()
        for row in rows:
            match row.side:
                case "confirmation":
                    contested.confirmations.append(row)
                case "entry":
                    contested.entries.append(row)
                case "cancelled":
                    contested.cancelled.append(row)
                case _:
                    contested.reversals.append(row)
        yield from _link_class(contested, window_us)


def _link_class(rows: _Class, window_us: int) -> Iterator[Link]:
    reversal_of = _cancel(rows.entries, rows.reversals)
    free = [entry for entry in rows.entries if entry.id not in reversal_of]
    taken = assign(rows.confirmations, free, window_us)
    for confirmation, entry in taken.items():
        yield Link(free[entry].id, rows.confirmations[confirmation].id, "identity")
    # A credit that was taken back explains a purchase better than none at all: it was credited, then reversed.
    undone = sorted(
        [*rows.cancelled, *(entry for entry in rows.entries if entry.id in reversal_of)],
        key=lambda row: (row.at_us, row.id),
    )
    left = [confirmation for place, confirmation in enumerate(rows.confirmations) if place not in taken]
    explained = assign(left, undone, window_us)
    home = {undone[entry].id: left[confirmation].id for confirmation, entry in explained.items()}
    for unit, group in home.items():
        yield Link(unit, group, "identity")
    for unit, reversal in reversal_of.items():
        yield Link(reversal, home.get(unit, unit), "identity")


def _cancel(entries: Sequence[Candidate], reversals: Sequence[Candidate]) -> dict[int, int]:
    """Each reversal takes back the latest earlier entry that still stands and may be meant: entry id → reversal id."""
    cancelled: dict[int, int] = {}
    standing: list[Candidate] = []
    for row in sorted([*entries, *reversals], key=lambda row: (row.at_us, row.side, row.id)):
        if row.side == "entry":
            standing.append(row)
            continue
        for place in range(len(standing) - 1, -1, -1):
            if _compatible(row, standing[place]):
                cancelled[standing.pop(place).id] = row.id
                break
    return cancelled


def assign(confirmations: Sequence[Candidate], entries: Sequence[Candidate], window_us: int) -> dict[int, int]:
    """Place of each matched confirmation → place of its entry. Both sides must be in time order."""
    owner: dict[int, int] = {}
    taken: dict[int, int] = {}
    # Where every pair is allowed, first come first served is already the most that can be matched.
    forbids = any(row.named for row in confirmations) and any(row.named for row in entries)
    movable = forbids and len(confirmations) + len(entries) <= MAX_AUGMENTED_CLASS
    first = 0
    for place, confirmation in enumerate(confirmations):
        while first < len(entries) and (entries[first].at_us < confirmation.at_us or first in owner):
            first += 1
        for entry in range(first, len(entries)):
            if entries[entry].at_us > confirmation.at_us + window_us:
                break
            if entry not in owner and _compatible(confirmation, entries[entry]):
                owner[entry], taken[place] = place, entry
                break
        if place not in taken and movable:
            _make_room(place, confirmations, entries, window_us, owner, taken)
    return taken


def _make_room(
    place: int,
    confirmations: Sequence[Candidate],
    entries: Sequence[Candidate],
    window_us: int,
    owner: dict[int, int],
    taken: dict[int, int],
) -> None:
    """An augmenting path, breadth first: nobody who has an entry loses it, somebody moves to another."""
    came_from: dict[int, int] = {}
    queue = [place]
    for mover in queue:
        for entry in _within(confirmations[mover], entries, window_us):
            if entry in came_from:
                continue
            came_from[entry] = mover
            if entry in owner:
                queue.append(owner[entry])
                continue
            step: int | None = entry
            while step is not None:
                next_step = taken.get(came_from[step])
                owner[step], taken[came_from[step]] = came_from[step], step
                step = next_step
            return


def _within(confirmation: Candidate, entries: Sequence[Candidate], window_us: int) -> Iterator[int]:
    for place, entry in enumerate(entries):
        if entry.at_us > confirmation.at_us + window_us:
            return
        if entry.at_us >= confirmation.at_us and _compatible(confirmation, entry):
            yield place


def _compatible(one: Candidate, other: Candidate) -> bool:
    # Two references that differ name two purchases.
    return not (one.named and other.named)
