"""One confirmation, several entries: the subset of an account's free entries that adds up, where there is only one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Final, NamedTuple

from reconcile.matching.identity import Link

MAX_PARTS: Final = 12
"""Entries in one window up to which all subsets are tried (4,096 of them). With more, a person looks."""


class Part(NamedTuple):
    """One row of the table `part` of `sql/match/split.sql`: a purchase and an entry that may be part of its credit."""

    group_id: int
    amount_minor: int
    unit_id: int
    part_minor: int


@dataclass(frozen=True, slots=True)
class Splits:
    """What was found: links, and the groups that have more than one solution or share an entry with another's."""

    links: list[Link]
    doubtful: list[int]


def split_all(parts: Sequence[Part]) -> Splits:
    """`parts` must be sorted by group."""
    solutions: dict[int, list[frozenset[int]] | None] = {}
    users: dict[int, set[int]] = {}
    for group_id, rows in groupby(parts, key=lambda row: row.group_id):
        of_group = list(rows)
        found = _solutions(of_group)
        solutions[group_id] = found
        used = frozenset().union(*found) if found is not None else frozenset(row.unit_id for row in of_group)
        for unit_id in used:
            users.setdefault(unit_id, set()).add(group_id)
    links, doubtful = [], []
    for group_id, found in solutions.items():
        if found == []:
            continue
        if found is not None and len(found) == 1 and all(users[unit_id] == {group_id} for unit_id in found[0]):
            links += [Link(unit_id, group_id, "split") for unit_id in sorted(found[0])]
        else:
            doubtful.append(group_id)
    return Splits(links, doubtful)


def _solutions(parts: Sequence[Part]) -> list[frozenset[int]] | None:
    """All subsets that add up to the amount; None when there are too many entries to try them."""
    if len(parts) > MAX_PARTS:
        return None
    amount_minor = parts[0].amount_minor
    return [
        frozenset(part.unit_id for part in chosen)
        for size in range(2, len(parts) + 1)
        for chosen in combinations(parts, size)
        if sum(part.part_minor for part in chosen) == amount_minor
    ]
