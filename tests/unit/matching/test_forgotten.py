"""What comes again, or for the first time, when the rows that could explain it can no longer be looked up."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconcile.matching import state

HOUR = 60
DAY = 24 * HOUR
FORGOTTEN = "it was told before what can still be looked up: a person decides"


@pytest.fixture
def long_settled(folder, told_row, posted_row, at) -> Any:
    """A purchase R1 of minute 0, told and credited at once, of which everything is forgotten by day 3."""
    folder.fold(
        [told_row(at(0), "R1", "A", 100, message="m")], [posted_row(at(1), "R1", "A", 100, row="e")], complete=at(HOUR)
    )
    for day in (1, 2, 3):
        folder.fold([], [], complete=at(day * DAY))
    assert state.read(folder.outcomes[-1].folder, "topup").files == ()
    return folder


def said(outcome: Any, rows_of: Any) -> list[tuple[str, int, str | None]]:
    return sorted(((row["kind"], row["owed_minor"], row["blocked"]) for row in rows_of(outcome.verdicts)), key=str)


@pytest.mark.parametrize("message", ["m", "another"])
def test_a_purchase_that_is_told_again_long_after_is_for_a_person_in_this_run_and_in_every_later_one(
    long_settled, told_row, rows_of, at, message
) -> None:
    again = told_row(at(0), "R1", "A", 100, message=message)
    assert said(long_settled.fold([again], [], complete=at(3 * DAY + 1)), rows_of) == [
        ("never_credited", 100, FORGOTTEN)
    ]
    for day in (4, 5, 9):
        assert said(long_settled.fold([], [], complete=at(day * DAY)), rows_of) == []
    # Another grade is a new version: what it says of the money stays.
    last = long_settled.fold([], [], complete=at(10 * DAY), grade="assumed")
    assert said(last, rows_of) == [("never_credited", 100, FORGOTTEN)]


def test_a_credit_that_is_delivered_again_as_well_settles_it_without_a_verdict(
    long_settled, told_row, posted_row, rows_of, at
) -> None:
    told, posted = told_row(at(0), "R1", "A", 100, message="m"), posted_row(at(1), "R1", "A", 100, row="e")
    assert said(long_settled.fold([told], [posted], complete=at(4 * DAY)), rows_of) == []


def test_a_credit_that_is_found_for_it_later_closes_it(long_settled, told_row, posted_row, rows_of, at) -> None:
    long_settled.fold([told_row(at(0), "R1", "A", 100, message="m")], [], complete=at(4 * DAY))
    again = posted_row(at(1), "R1", "A", 100, row="e")
    assert said(long_settled.fold([], [again], complete=at(5 * DAY)), rows_of) == [("late_credit", 0, None)]


def test_no_customer_is_told_that_units_lie_elsewhere_when_they_may_have_arrived_long_ago(
    long_settled, told_row, posted_row, rows_of, at
) -> None:
    elsewhere = posted_row(at(3 * DAY), "R1", "B", 100, row="x")
    again = told_row(at(0), "R1", "A", 100, message="again")
    outcome = long_settled.fold([again], [elsewhere], complete=at(3 * DAY + HOUR))
    assert said(outcome, rows_of) == [
        ("never_credited", 100, f"{FORGOTTEN}; an entry on another account has the same reference")
    ]


def test_a_message_that_came_long_after_its_credit_is_for_a_person_when_the_credit_alone_is_forgotten(
    folder, told_row, posted_row, rows_of, at
) -> None:
    folder.fold([], [posted_row(at(0), "R1", "A", 100, row="e")], complete=at(1))
    late = told_row(at(20 * HOUR), "R1", "A", 100, message="m")
    folder.fold([late], [], complete=at(21 * HOUR))
    folder.fold([], [], complete=at(30 * HOUR))
    kept = state.read(folder.outcomes[-1].folder, "topup")
    assert ([len(kept.confirmations), len(kept.entries)]) == [1, 0]
    again = told_row(at(20 * HOUR), "R1", "A", 100, message="another")
    outcome = folder.fold([again], [], complete=at(31 * HOUR))
    assert said(outcome, rows_of) == [("never_credited", 100, FORGOTTEN)]
    # What had settled stays settled; the message that came again stands beside it.
    [day] = outcome.statement
    lines = {name: line.minor for name, line in day.lines["confirmation"].items() if line.rows}
    assert (day.day, lines) == (late["confirmed_at"].date(), {"confirmed": 200, "credited": 100, "owed": 100})


@pytest.mark.parametrize("after", [10, 20])
def test_a_credit_just_before_its_message_counts_as_forgotten_with_the_deadline_of_the_message(
    folder, told_row, posted_row, rows_of, at, after
) -> None:
    folder.fold([], [posted_row(at(0), None, "B", 7, row="e")], complete=at(1))
    folder.fold([], [], complete=at(2 * DAY))
    told = told_row(at(after), "R1", "A", 100, message="m")
    [found] = said(folder.fold([told], [], complete=at(2 * DAY + 1)), rows_of)
    assert found == ("never_credited", 100, FORGOTTEN if after <= 15 else None)


def test_a_purchase_that_was_open_all_along_is_not_touched(folder, told_row, rows_of, at) -> None:
    folder.fold([told_row(at(0), "R1", "A", 100, message="m")], [], complete=at(1))
    # Not judged yet when all of its time leaves the horizon at once: what could explain it would be open beside it.
    assert said(folder.fold([], [], complete=at(3 * DAY)), rows_of) == [("never_credited", 100, None)]
    again = told_row(at(0), "R1", "A", 100, message="another")
    folder.fold([again], [], complete=at(4 * DAY))
    assert said(folder.fold([], [], complete=at(5 * DAY), grade="assumed"), rows_of) == [("never_credited", 100, None)]


def test_an_old_backlog_is_judged_as_ever_at_once_and_day_by_day(
    new_folder, told_row, posted_row, rows_of, at, tmp_path
) -> None:
    rules = replace(new_folder(tmp_path).rules, horizon=timedelta(days=1))
    days = range(0, 30, 3)
    told = [told_row(at(day * DAY), f"R{day}", "A", 100, message=f"m{day}") for day in days]
    posted = [posted_row(at(day * DAY + 1), f"R{day}", "A", 100, row=f"e{day}") for day in days if day % 2]
    at_once, by_day = new_folder(tmp_path / "at once", rules), new_folder(tmp_path / "by day", rules)
    expected = [("never_credited", 100, None)] * 5
    assert said(at_once.fold(told, posted, complete=at(30 * DAY)), rows_of) == expected
    for number, day in enumerate(days):
        landed = [row for row in posted if row["posted_at"] == at(day * DAY + 1)]
        by_day.fold(told[number : number + 1], landed, complete=at(day * DAY + HOUR))
    assert [found for outcome in by_day.outcomes for found in said(outcome, rows_of)] == expected


def test_a_row_that_comes_in_time_finds_what_settled_before_a_long_pause(
    folder, told_row, posted_row, rows_of, at
) -> None:
    told, posted = told_row(at(0), "R1", "A", 100, message="m"), posted_row(at(1), "R1", "A", 100, row="e")
    folder.fold([told], [posted], complete=at(2))
    # No watermark has passed these yet, though the next one is a month later.
    again = told_row(at(5), "R1", "A", 100, message="another")
    taken_back = posted_row(at(6), "R1", "A", -100, row="r")
    outcome = folder.fold([again], [taken_back], complete=at(30 * DAY))
    assert said(outcome, rows_of) == [("reversed_after_credit", 100, None)]


def test_a_credit_of_a_time_that_is_forgotten_is_not_said_to_have_no_message(
    long_settled, posted_row, rows_of, at
) -> None:
    rows = [posted_row(at(1), "R1", "A", 100, row="e"), posted_row(at(3 * DAY), "R9", "A", 100, row="new")]
    outcome = long_settled.fold([], rows, complete=at(4 * DAY))
    assert said(outcome, rows_of) == [("ambiguous", -100, None), ("orphan_credit", -100, None)]
    unsure = next(row for row in rows_of(outcome.verdicts) if row["kind"] == "ambiguous")
    found = {one["pass"]: one["found"] for one in json.loads(unsure["evidence"])["passes"]}
    assert found["reference"] == found["identity"] == "nothing in what can still be looked up"
    assert said(long_settled.fold([], [], complete=at(4 * DAY + 1)), rows_of) == []


def test_a_payment_of_a_time_that_is_forgotten_is_not_said_to_be_untold(
    folder, told_row, posted_row, paid_row, rows_of, at
) -> None:
    payment = paid_row(at(0), "R1", "A", 100, row="p")
    told, posted = told_row(at(1), "R1", "A", 100, message="m"), posted_row(at(2), "R1", "A", 100, row="e")
    folder.fold([told], [posted], complete=at(HOUR), payments=[payment])
    for day in (1, 2, 3):
        folder.fold([], [], complete=at(day * DAY), payments=[])
    new = paid_row(at(3 * DAY), "R9", "A", 100, row="new")
    outcome = folder.fold([], [], complete=at(4 * DAY), payments=[payment, new])
    assert said(outcome, rows_of) == [
        ("ambiguous", 100, "it was paid before what can still be looked up: a person decides"),
        ("paid_not_told", 100, "paid, and neither told nor credited: a person decides"),
    ]
    assert said(folder.fold([], [], complete=at(9 * DAY), payments=[]), rows_of) == []


def test_of_a_state_of_an_earlier_version_all_before_its_horizon_counts_as_forgotten(
    long_settled, told_row, rows_of, at
) -> None:
    known = long_settled.outcomes[-1].folder
    content = json.loads((known / state.MANIFEST).read_text())
    del content["forgotten_through_us"]
    (known / state.MANIFEST).write_text(json.dumps(content))
    (known / state.UNTRACEABLE).unlink()
    told = [told_row(at(minute), f"R{minute}", "A", 100, message=f"m{minute}") for minute in (0, 2 * DAY + HOUR)]
    outcome = long_settled.fold(told, [], complete=at(3 * DAY + 1))
    assert said(outcome, rows_of) == [("never_credited", 100, FORGOTTEN), ("never_credited", 100, None)]


def worlds_of_a_week(
    told_row: Any, posted_row: Any, at: Any, chance: random.Random
) -> list[tuple[str, dict[str, Any]]]:
    """Small worlds that share nothing, each within an hour of one of seven days."""
    rows: list[tuple[str, dict[str, Any]]] = []
    for world in range(1000):
        start = chance.randint(0, 7 * DAY)
        for _ in range(chance.randint(1, 6)):
            reference = chance.choice([None, "R1", "R1", "R2", "R12"])
            reference = reference and f"{world}-{reference}"
            when, account, amount = at(start + chance.randint(0, HOUR)), f"{world}-{chance.choice('AAB')}", 100
            if chance.random() < 0.5:
                rows.append(("told", told_row(when, reference, account, amount, message=f"m{len(rows)}")))
            else:
                amount *= chance.choice([1, 1, 1, 1, -1])
                rows.append(("posted", posted_row(when, reference, account, amount, row=f"e{len(rows)}")))
    return rows


def newest(folder: Any, rows_of: Any) -> dict[str, tuple[Any, ...]]:
    """The last word on each break that was not explained."""
    found = {row["break_id"]: row for outcome in folder.outcomes for row in rows_of(outcome.verdicts)}
    told = ("kind", "owed_minor", "blocked", "entry_ids", "confirmation_ids")
    return {id_: tuple(map(str, map(row.get, told))) for id_, row in found.items() if row["kind"] != "settled"}


@pytest.mark.parametrize("seed", range(3))
def test_what_comes_in_time_is_judged_as_ever_however_long_the_pauses_and_what_comes_again_is_never_paid(
    folder, new_folder, told_row, posted_row, rows_of, at, tmp_path, seed
) -> None:
    chance = random.Random(seed)
    rows = worlds_of_a_week(told_row, posted_row, at, chance)
    ticks = [*sorted(chance.sample(range(HOUR, 7 * DAY), 2 + 4 * seed)), 8 * DAY, 10 * DAY]
    arrival = [
        chance.randint(
            0, next(n for n, tick in enumerate(ticks) if at(tick) > (row.get("confirmed_at") or row["posted_at"]))
        )
        for _, row in rows
    ]
    for number, tick in enumerate(ticks):
        batch = [row for row, when in zip(rows, arrival, strict=True) if when == number]
        folder.fold(
            [row for side, row in batch if side == "told"],
            [row for side, row in batch if side == "posted"],
            complete=at(tick),
        )
    one = new_folder(tmp_path / "one", folder.rules)
    one.fold(
        [row for side, row in rows if side == "told"],
        [row for side, row in rows if side == "posted"],
        complete=at(10 * DAY),
    )
    assert newest(folder, rows_of) == newest(one, rows_of)
    # Then all messages come again under other ids.
    again = [{**row, "message_id": f"again {row['message_id']}"} for side, row in rows if side == "told"]
    known = {id_ for id_, (kind, *_) in newest(folder, rows_of).items() if kind != "late_credit"}
    for tick, least in ((10 * DAY + 1, 100), (20 * DAY, 0)):
        outcome = folder.fold(again if least else [], [], complete=at(tick))
        owing = [row for row in rows_of(outcome.verdicts) if row["owed_minor"] > 0 and row["break_id"] not in known]
        assert len(owing) >= least
        assert all(FORGOTTEN in row["blocked"] for row in owing)
