"""Inputs on which simpler ways of matching give a wrong answer, and ours beside them: `docs/matching.md`, Why not simply."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = timedelta(minutes=15)

Rows = list[dict[str, Any]]


def allowed(told: dict[str, Any], posted: dict[str, Any]) -> bool:
    """Account, amount and window; two references that differ name two purchases."""
    same = (told["account"], told["amount_minor"]) == (posted["account"], posted["amount_minor"])
    named = told["reference"] and posted["reference"]
    in_time = timedelta(0) <= posted["posted_at"] - told["confirmed_at"] <= WINDOW
    return same and in_time and (not named or told["reference"] == posted["reference"])


def greedy(told: Rows, posted: Rows, preference: Callable[[dict[str, Any], dict[str, Any]], Any]) -> int:
    """How many stay without an entry when each confirmation in time order takes the entry that it prefers."""
    free, missing = list(posted), 0
    for one in sorted(told, key=lambda row: row["confirmed_at"]):
        candidates = sorted((entry for entry in free if allowed(one, entry)), key=lambda entry: preference(one, entry))
        if candidates:
            free.remove(candidates[0])
        else:
            missing += 1
    return missing


def first_fit(told: Rows, posted: Rows) -> int:
    return greedy(told, posted, lambda _, entry: entry["posted_at"])


def nearest_first(told: Rows, posted: Rows) -> int:
    """Every pair by its distance in time, the nearest first."""
    pairs = [
        (entry["posted_at"] - one["confirmed_at"], i, j)
        for i, one in enumerate(told)
        for j, entry in enumerate(posted)
        if allowed(one, entry)
    ]
    taken_told: set[int] = set()
    taken_posted: set[int] = set()
    for _, i, j in sorted(pairs):
        if i not in taken_told and j not in taken_posted:
            taken_told.add(i)
            taken_posted.add(j)
    return len(told) - len(taken_told)


def plain_merge(told: Rows, posted: Rows) -> int:
    """A left join on account and amount: what has no partner is missing."""
    left = pd.DataFrame(told)[["message_id", "account", "amount_minor"]]
    right = pd.DataFrame(posted)[["entry_id", "account", "amount_minor"]]
    merged = left.merge(right, on=["account", "amount_minor"], how="left")
    return int(merged["entry_id"].isna().sum())


def merge_on_reference(told: Rows, posted: Rows) -> int:
    """A left join on reference, account and amount: what has no partner is missing."""
    keys = ["reference", "account", "amount_minor"]
    merged = pd.DataFrame(told).merge(pd.DataFrame(posted)[[*keys, "entry_id"]], on=keys, how="left")
    return int(merged["entry_id"].isna().sum())


WORLDS: dict[str, tuple[list[tuple[int, str | None, int]], list[tuple[int, str | None, int]], int]] = {
    "the nearest entry is another purchase's only one": ([(0, None, 100), (5, None, 100)], [(14, None, 100), (19, None, 100)], 0),
    "the first entry that fits is another purchase's only one": ([(0, None, 100), (1, "R2", 100)], [(2, None, 100), (3, "R7", 100)], 0),
    "three identical purchases and two credits": ([(0, None, 100), (1, None, 100), (2, None, 100)], [(3, None, 100), (4, None, 100)], 1),
    "credited in two parts under one receipt": ([(0, "R1", 150)], [(1, "R1", 100), (2, "R1", 50)], 0),
    "credited five hours later, for something else": ([(0, None, 100)], [(300, None, 100)], 1),
    "credited, and taken back": ([(0, "R1", 100)], [(1, "R1", 100), (2, "R1", -100)], 1),
}  # fmt: skip
"""What was told, what was posted (minute, reference, amount, all of one account), and how many lack their credit in truth."""


@pytest.mark.parametrize(
    ("world", "peer", "says"),
    [
        ("the nearest entry is another purchase's only one", nearest_first, 1),
        ("the first entry that fits is another purchase's only one", first_fit, 1),
        ("three identical purchases and two credits", plain_merge, 0),
        ("credited five hours later, for something else", plain_merge, 0),
        ("credited in two parts under one receipt", merge_on_reference, 1),
        ("credited in two parts under one receipt", first_fit, 1),
        ("credited, and taken back", merge_on_reference, 0),
    ],
)
def test_simpler_ways_are_wrong_where_ours_is_right(
    new_folder, told_row, posted_row, rows_of, at, tmp_path, world, peer, says
) -> None:
    told_of, posted_of, truth = WORLDS[world]
    told = [
        told_row(at(minute), reference, "A", amount, message=f"m{n}")
        for n, (minute, reference, amount) in enumerate(told_of)
    ]
    posted = [
        posted_row(at(minute), reference, "A", amount, row=f"e{n}")
        for n, (minute, reference, amount) in enumerate(posted_of)
    ]
    assert peer(told, posted) == says != truth
    outcome = new_folder(tmp_path).fold(told, posted, complete=at(600))
    assert sum(row["owed_minor"] > 0 for row in rows_of(outcome.verdicts)) == truth
