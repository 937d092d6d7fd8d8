"""Open items that sleep and wake: nothing that is said may depend on it."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconcile.matching import dormant, state
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


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_run_says_what_it_would_say_if_nothing_ever_slept(
    new_folder, crowd, rows_of, at, tmp_path, monkeypatch, seed
) -> None:
    sleepy, awake = new_folder(tmp_path / "sleepy"), new_folder(tmp_path / "awake")
    for folder in (sleepy, awake):
        options = replace(folder.rules.options, keyless=seed % 2 == 1)
        folder.rules = replace(
            folder.rules, options=options, horizon=timedelta(hours=1) if seed % 2 == 1 else timedelta(days=7)
        )
    chance, slept = random.Random(seed), 0
    for number, (tick, run) in enumerate(zip(TICKS, deliveries(crowd, seed), strict=True)):
        said = []
        given: dict[str, Any] = {
            "complete": at(tick),
            "own": run["own"],
            "held_accounts": run["held_accounts"],
            "held_references": run["held_references"],
            "grade": "assumed" if number == 6 else "proven",
            "withdrawn": (f"c{chance.randrange(number)}",) if number in {5, 9} else (),
        }
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
