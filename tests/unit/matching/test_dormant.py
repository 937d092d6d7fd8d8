"""Open items that sleep and wake: nothing that is said may depend on it."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconcile.matching import awakened, dormant, state
from reconcile.matching.dormant import Dormant

SEEDS = int(os.environ.get("RECONCILE_SEEDS", "2"))
TIMES = {"told": "confirmed_at", "posted": "posted_at"}
TICKS = [15, 30, 32, 45, 60, 75, 90, 91, 120, 180, 240]


def told_to(outcome: Any, rows_of: Any) -> dict[str, Any]:
    """All that anybody hears of a run."""
    return {
        "verdicts": rows_of(outcome.verdicts),
        "own": rows_of(outcome.own),
        "curve": rows_of(outcome.curve),
        "statement": outcome.statement,
        "open": (outcome.counts.open_confirmations, outcome.counts.open_entries),
    }


def deliveries(crowd: Any, seed: int) -> list[dict[str, Any]]:
    """What each run is given: rows in any order, early, late, hours too late, and again; attempts as we make them."""
    chance, rows = random.Random(seed), crowd(seed)
    runs: list[dict[str, Any]] = [{"told": [], "posted": [], "own": []} for _ in TICKS]
    for side in TIMES:
        for row in rows[side]:
            for _ in range(chance.choice([1, 1, 1, 2])):
                runs[min(chance.randrange(len(TICKS)), chance.randrange(len(TICKS)))][side].append(row)
    for attempt in rows["own"]:
        for run in runs[chance.randrange(len(TICKS)) :]:
            run["own"].append(attempt)
    accounts = sorted({row["account"] for row in rows["told"]})
    references = sorted({row["reference"] for row in rows["told"] if row["reference"]})
    for run in runs:
        run["held_accounts"] = tuple(chance.sample(accounts, 5)) if chance.random() < 0.3 else ()
        run["held_references"] = tuple(chance.sample(references, 5)) if chance.random() < 0.3 else ()
    return runs


def same_rules(folder: Any, seed: int) -> Any:
    """The folder, with a horizon that passes within the runs where the seed is odd."""
    options = replace(folder.rules.options, keyless=seed % 2 == 1)
    horizon = timedelta(hours=1) if seed % 2 == 1 else timedelta(days=7)
    folder.rules = replace(folder.rules, options=options, horizon=horizon)
    return folder


def terms(run: dict[str, Any], complete: Any, number: int, chance: random.Random) -> dict[str, Any]:
    """What a run is given beside its rows."""
    return {
        "complete": complete,
        "own": run["own"],
        "held_accounts": run["held_accounts"],
        "held_references": run["held_references"],
        "grade": "assumed" if number == 6 else "proven",
        "withdrawn": (f"c{chance.randrange(number)}",) if number in {5, 9} else (),
    }


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_run_says_what_it_would_say_if_nothing_ever_slept(
    new_folder, crowd, rows_of, at, tmp_path, monkeypatch, seed
) -> None:
    sleepy, awake = (same_rules(new_folder(tmp_path / name), seed) for name in ("sleepy", "awake"))
    chance, slept = random.Random(seed), 0
    for number, (tick, run) in enumerate(zip(TICKS, deliveries(crowd, seed), strict=True)):
        said, given = [], terms(run, at(tick), number, chance)
        for folder in (sleepy, awake):
            with monkeypatch.context() as patch:
                # Now and then little is awake, and stays so, beside what sleeps.
                patch.setattr(dormant, "AWAKE_MAX", 10_000 if number in {4, 7} else -1)
                if folder is awake:
                    patch.setattr(Dormant, "lay_down", Dormant.stay_awake)
                said.append(told_to(folder.fold(run["told"], run["posted"], **given), rows_of))
        assert said[0] == said[1], f"run {number}"
        slept += sum(one.components for one in state.read(sleepy.outcomes[-1].folder, "topup").sleepers.segments)
    assert slept > 100


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_run_says_the_same_after_a_copy_of_the_state_in_which_nothing_sleeps(
    new_folder, crowd, rows_of, state_rows, at, tmp_path, seed
) -> None:
    sleepy, roused = (same_rules(new_folder(tmp_path / name), seed) for name in ("sleepy", "roused"))
    chance, woken = random.Random(seed), 0
    for number, (tick, run) in enumerate(zip(TICKS, deliveries(crowd, seed), strict=True)):
        given = terms(run, at(tick), number, chance)
        said = [told_to(folder.fold(run["told"], run["posted"], **given), rows_of) for folder in (sleepy, roused)]
        assert said[0] == said[1], f"run {number}"
        if number in {1, 3, 7, 9}:  # the next run does not wake everything by itself
            state_before, copy = roused.outcomes[-1].folder, roused.home / f"copy{number}"
            before = state.read(state_before, "topup")
            awakened.write(state_before, copy, "topup", keys=roused.home / "keys")
            roused.outcomes[-1] = replace(roused.outcomes[-1], folder=copy)

            after = state.read(copy, "topup")
            assert replace(after, sleepers=before.sleepers) == before
            assert (after.sleepers.segments, after.sleepers.last) == ((), before.sleepers.last)
            assert {file.name for file in copy.iterdir()} == {file.name for file in state_before.iterdir()}
            for file in sorted(copy.glob("*.parquet")):
                assert state_rows(copy, file.name) == state_rows(state_before, file.name), file.name
            woken += sum(one.components for one in before.sleepers.segments)
    assert woken > 100


def test_what_sleeps_is_woken_by_an_entry_of_its_key_before_settled_groups_are_recalled_by_it(
    new_folder, told_row, posted_row, rows_of, at, tmp_path
) -> None:
    folder = new_folder(tmp_path / "flow")
    there_and_back = [posted_row(at(n), "R1", "A", sign * 100, row=f"e{n}") for n, sign in ((1, 1), (2, -1), (3, 1))]
    folder.fold([told_row(at(0), "R1", "A", 100, message="m")], there_and_back, complete=at(60))
    assert [one.components for one in state.read(folder.outcomes[-1].folder, "topup").sleepers.segments] == [1]
    again = folder.fold([], [posted_row(at(61), "R1", "A", 100, row="e4")], complete=at(120))
    assert [(row["version"], row["kind"]) for row in rows_of(again.verdicts)] == [(1, "over_credited")]
    [day] = again.statement
    lines = {name: (line.rows, line.minor) for name, line in day.lines["ledger"].items() if line.rows}
    assert lines == {"posted": (4, 200), "credited": (3, 100), "over": (1, 100)}
