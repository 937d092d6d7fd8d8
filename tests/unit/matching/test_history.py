"""Settled groups of the horizon: what is opened, what is found, and what becomes of the index over time."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconcile.matching import key_index, recalling, state

HOUR = 60
DAY = 24 * HOUR
RELEASED = Path(__file__).parents[2] / "golden" / "released_state"


@pytest.fixture
def settle(folder, told_row, posted_row, at) -> Any:
    """A run of one purchase `name` that its receipt settles at once."""

    def run(name: str, minute: int) -> None:
        told = told_row(at(minute), name, "A", 100, message=f"m{name}")
        folder.fold([told], [posted_row(at(minute), name, "A", 100, row=f"e{name}")], complete=at(minute + 1))

    return run


def kinds(outcome: Any, rows_of: Any) -> list[tuple[str, int]]:
    return sorted((row["kind"], row["version"]) for row in rows_of(outcome.verdicts))


def manifest(folder: Any) -> state.Manifest:
    return state.read(folder.outcomes[-1].folder, "topup")


def test_a_run_opens_no_file_of_the_horizon_but_those_that_hold_a_row_that_it_asks_for(
    folder, settle, posted_row, rows_of, at
) -> None:
    for number in range(9):
        settle(f"R{number}", number)
    for number in (0, 1, 2, 3, 5, 6, 7, 8):
        (folder.home / f"c{number}.parquet").rename(folder.home / f"away-c{number}.parquet")
        (folder.home / f"e{number}.parquet").unlink()
    taken_back = posted_row(at(20), "R4", "A", -100, row="r4")
    assert kinds(folder.fold([], [taken_back], complete=at(HOUR)), rows_of) == [("reversed_after_credit", 1)]
    with pytest.raises(FileNotFoundError, match=r"c5\.parquet"):
        folder.fold([], [posted_row(at(30), "R5", "A", -100, row="r5")], complete=at(2 * HOUR))


def test_the_segments_of_many_runs_are_few_and_lead_to_every_row(folder, settle, posted_row, rows_of, at) -> None:
    for number in range(20):
        settle(f"R{number}", number)
    assert [one.level for one in manifest(folder).keys] == [2, 1]
    back = [posted_row(at(40), f"R{number}", "A", -100, row=f"r{number}") for number in range(20)]
    assert kinds(folder.fold([], back, complete=at(2 * HOUR)), rows_of) == [("reversed_after_credit", 1)] * 20


def test_the_keys_of_a_run_that_are_too_many_for_one_segment_are_in_several(
    folder, settle, posted_row, rows_of, at, monkeypatch
) -> None:
    monkeypatch.setattr(key_index, "SEGMENT_KEYS_MAX", 2)
    settle("R1", 0)
    assert [one.keys for one in manifest(folder).keys] == [2, 1]
    settle("R2", 1)
    back = [posted_row(at(40), name, "A", -100, row=name) for name in ("R1", "R2")]
    assert kinds(folder.fold([], back, complete=at(2 * HOUR)), rows_of) == [("reversed_after_credit", 1)] * 2


def test_a_row_of_the_last_instant_of_the_horizon_is_recalled_and_one_of_before_is_not(
    folder, settle, posted_row, rows_of, at
) -> None:
    settle("R1", 0)
    settle("R2", 1)
    settle("now", DAY)
    # Complete up to one horizon after R2, to the microsecond: R1 lies beyond.
    folder.fold([], [], complete=at(DAY + 1))
    assert [Path(file.path).name for file in manifest(folder).confirmations] == ["c1.parquet", "c2.parquet"]
    back = [posted_row(at(DAY + 2), f"R{number}", "A", -100, row=f"r{number}") for number in (1, 2)]
    assert kinds(folder.fold([], back, complete=at(DAY + 1)), rows_of) == [("reversed_after_credit", 1)]
    assert kinds(folder.fold([], [], complete=at(DAY + HOUR)), rows_of) == [("ambiguous", 1)]


def test_files_beyond_the_horizon_are_opened_no_more(folder, settle, at) -> None:
    for day in range(4):
        for number in range(5):
            settle(f"R{day}.{number}", day * DAY + number)
        needed = state.needed_files(folder.outcomes[-1].folder, "topup")
        for file in folder.home.glob("*.parquet"):
            if str(file) not in needed:
                file.unlink()
    live = {file.number for file in (*manifest(folder).confirmations, *manifest(folder).entries)}
    assert len(live) == 10
    assert all(one.last_file >= min(live) for one in manifest(folder).keys)


def test_a_withdrawn_batch_whose_keys_lie_in_a_merged_segment_leaves_the_sums_and_is_not_found_again(
    folder, settle, told_row, rows_of, at
) -> None:
    for number in range(6):
        settle(f"R{number}", number)
    assert manifest(folder).keys[0].level == 1
    gone = folder.fold([], [], complete=at(HOUR), withdrawn=("e2",))
    assert kinds(gone, rows_of) == [("never_credited", 1)]
    assert sum(day.lines["ledger"]["posted"].rows for day in gone.statement) == 5
    retold = told_row(at(2), "R2", "A", 100, message="mR2")
    again = folder.fold([retold], [], complete=at(2 * HOUR))
    assert kinds(again, rows_of) == []
    assert str(folder.home / "e2.parquet") not in state.needed_files(again.folder, "topup")


def judged(folder: Any, state_rows: Any) -> list[str]:
    return sorted(row["kind"] for row in state_rows(folder.outcomes[-1].folder, state.JUDGED))


def test_a_closed_verdict_leaves_the_state_with_the_last_instant_of_its_horizon_and_an_open_one_stays(
    folder, told_row, posted_row, rows_of, state_rows, at
) -> None:
    told = [told_row(at(0), f"R{number}", "A", 100, message=f"m{number}") for number in (1, 2)]
    late = posted_row(at(HOUR), "R1", "A", 100, row="e1")
    folder.fold(told, [late], complete=at(2 * HOUR))
    for through in (at(HOUR + DAY), at(HOUR + DAY) + timedelta(microseconds=1)):
        assert judged(folder, state_rows) == ["late_credit", "never_credited"]
        folder.fold([], [], complete=through)
    assert judged(folder, state_rows) == ["never_credited"]
    again = folder.fold([], [posted_row(at(2 * DAY), "R2", "A", 100, row="e2")], complete=at(2 * DAY + HOUR))
    assert kinds(again, rows_of) == [("late_credit", 2)]


def test_a_closed_verdict_that_still_blocks_money_outlives_the_horizon_with_its_payment(
    folder, told_row, paid_row, rows_of, state_rows, at
) -> None:
    folder.fold([], [], complete=at(2 * HOUR), payments=[paid_row(at(0), "R1", "A", 100, row="p")])
    assert judged(folder, state_rows) == ["paid_not_told"]
    late = told_row(at(1), "R1", "A", 100, message="m")
    folder.fold([late], [], complete=at(3 * HOUR), payments=[])
    for day in (3, 5):
        folder.fold([], [], complete=at(day * DAY), payments=[])
        assert judged(folder, state_rows) == ["never_credited", "settled"]
    [assumed] = rows_of(folder.fold([], [], complete=at(6 * DAY), payments=[], grade="assumed").verdicts)
    assert "found before as paid and not told" in assumed["blocked"]


@pytest.mark.parametrize("lost", ["words", "bits"])
def test_an_index_of_which_a_file_is_lost_is_made_anew(folder, settle, posted_row, rows_of, at, lost) -> None:
    for number in range(3):
        settle(f"R{number}", number)
    next((folder.home / "keys").glob(f"*.{lost}.npy")).unlink()
    back = [posted_row(at(20), f"R{number}", "A", -100, row=f"r{number}") for number in range(3)]
    assert kinds(folder.fold([], back, complete=at(HOUR)), rows_of) == [("reversed_after_credit", 1)] * 3


def test_a_state_of_the_released_version_is_read_and_gets_its_index(
    new_folder, told_row, posted_row, rows_of, at, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(recalling, "FILES_AT_ONCE", 3)
    home = tmp_path / "flow"
    shutil.copytree(RELEASED, home)
    content = home / "run" / state.MANIFEST
    content.write_text(content.read_text().replace("{folder}", str(home)))
    assert state.read(home / "run", "topup").keys == ()
    folder = new_folder(home)
    released = replace(new_folder(tmp_path / "other").fold([], [], complete=None), folder=home / "run")
    folder.outcomes = [released] * 3
    rows = [
        posted_row(at(70), "R1", "A", -100, row="r1"),  # taken back: R1 is recalled from its batch
        posted_row(at(71), "R4", "D", 400, row="r4"),  # late, of an open break
        posted_row(at(72), "R3", "C", 50, row="r3"),  # too much, of a break that had closed
    ]
    outcome = folder.fold([], rows, complete=at(3 * HOUR))
    assert kinds(outcome, rows_of) == [("late_credit", 2), ("over_credited", 2), ("reversed_after_credit", 1)]
    [day] = outcome.statement
    assert day.lines["confirmation"]["confirmed"].minor == 1000
    # Four files of the state and the two of this run (which brought one that is empty).
    numbers = [file.number for file in (*manifest(folder).confirmations, *manifest(folder).entries)]
    assert sorted(numbers) == [1, 2, 3, 4, 5]
    assert kinds(folder.fold([], [], complete=at(4 * HOUR)), rows_of) == []


DOUBTS = {
    "an unclaimed credit": [("R9", "A", 100, 30, {})],
    "a credit on another account": [("R1", "B", 100, 5, {})],
    "a credit in another asset": [("R1", "A", 100, 5, {"unit": "MB"})],
    "two slips of the pen": [("RI", "A", 100, 5, {}), ("RL", "A", 100, 6, {})],
    "two ways to split it": [(None, "A", 40, 5, {}), (None, "A", 60, 6, {}), (None, "A", 60, 7, {})],
    "a row that the operator holds": [("R1", "A", 100, 5, {"kind": "held"})],
}


@pytest.mark.parametrize("rows", DOUBTS.values(), ids=DOUBTS)
def test_what_speaks_against_paying_an_open_break_outlives_the_horizon_with_it(
    folder, told_row, posted_row, rows_of, at, rows
) -> None:
    told = told_row(at(0), "R1", "A", 100, message="m")
    posted = [
        posted_row(at(minute), reference, account, amount, row=f"e{number}", **more)
        for number, (reference, account, amount, minute, more) in enumerate(rows)
    ]
    first = folder.fold([told], posted, complete=at(2 * HOUR))
    [found] = [row for row in rows_of(first.verdicts) if row["owed_minor"] > 0]
    assert found["blocked"]
    for day in (1, 2, 9):
        assert rows_of(folder.fold([], [], complete=at(day * DAY + HOUR)).verdicts) == []


def test_a_purchase_that_a_quarantined_row_could_settle_waits_for_it_beyond_the_horizon(
    folder, told_row, rows_of, at
) -> None:
    told = told_row(at(0), "R1", "A", 100, message="m")
    for day in (0, 2, 9):
        held = folder.fold([told] if day == 0 else [], [], complete=at(day * DAY + HOUR), held_accounts=("A",))
        assert rows_of(held.verdicts) == []
    assert kinds(folder.fold([], [], complete=at(10 * DAY)), rows_of) == [("never_credited", 1)]
