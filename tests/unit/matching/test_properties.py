"""What must hold for every input: `docs/matching.md`, Properties."""

from __future__ import annotations

import os
import random
import tempfile
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile.domain.breaks import OWING
from reconcile.matching import state

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconcile.matching.outcome import Outcome

# Each example runs several real folds of some 0.2 s.
FOLDS = settings(
    max_examples=int(os.environ.get("RECONCILE_EXAMPLES", "10")), deadline=None, suppress_health_check=list(HealthCheck)
)
SEEDS = int(os.environ.get("RECONCILE_SEEDS", "2"))
COMPLETE_MINUTES = 24 * 60
TIMES = {"told": "confirmed_at", "posted": "posted_at", "paid": "paid_at"}
CLOSED = {"settled", "late_credit"}

minutes = st.integers(0, 60)
references = st.sampled_from([None, None, "R1", "R12", "R21", "RO2", "R02"])
accounts = st.sampled_from(["A", "A", "B"])
amounts = st.sampled_from([100, 100, 200])

confirmations = st.tuples(
    st.just("told"), minutes, references, accounts, amounts, st.sampled_from(["success"] * 8 + ["reversed"])
)
entries = st.tuples(st.just("posted"), minutes, references, accounts, amounts, st.sampled_from([1] * 6 + [-1]))
worlds = st.lists(st.one_of(confirmations, entries), max_size=9)


@pytest.fixture(scope="module")
def make(told_row: Callable[..., Any], posted_row: Callable[..., Any], at: Callable[[int], Any]) -> Callable[..., Any]:
    def make_row(number: int, event: tuple[Any, ...]) -> tuple[str, dict[str, Any]]:
        side, minute, reference, account, amount, last = event
        if side == "told":
            return side, told_row(at(minute), reference, account, amount, message=f"m{number}", outcome=last)
        return side, posted_row(at(minute), reference, account, amount * last, row=f"e{number}")

    return make_row


def fold_in_batches(
    folder: Any,
    rows: list[tuple[str, dict[str, Any]]],
    arrival: list[int],
    ticks: list[int],
    at: Any,
    own: Any = None,
    withdrawals: dict[int, tuple[str, ...]] | None = None,
) -> Any:
    """One fold a tick; row i arrives with batch `arrival[i]`. `withdrawals`: tick → batches that are withdrawn at it."""
    with_payments = any(side == "paid" for side, _ in rows)
    for number, tick in enumerate(ticks):
        batch = [row for row, when in zip(rows, arrival, strict=True) if when == number]
        folder.fold(
            [row for side, row in batch if side == "told"],
            [row for side, row in batch if side == "posted"],
            complete=at(tick),
            own=own,
            payments=[row for side, row in batch if side == "paid"] if with_payments else None,
            withdrawn=(withdrawals or {}).get(number, ()),
        )
    return folder


def final(folder: Any, state_rows: Any) -> dict[str, Any]:
    """What is known in the end, without the history of how it came to be known."""
    last: Outcome = folder.outcomes[-1]
    judged = state_rows(last.folder, "judged.parquet")
    # What a late credit's message looked like is not looked at again once the case is closed.
    history = {"late_credit": {"version", "evidence"}}
    # Whether a payment had been found before its message is history as well.
    found_before = "it was found before as paid and not told: a person decides"
    open_or_late = [
        {
            name: value.replace("; " + found_before, "") if name == "blocked" and value else value
            for name, value in row.items()
            if name not in history.get(row["kind"], {"version"})
        }
        for row in judged
        if row["kind"] != "settled"
    ]
    days: dict[Any, Any] = {}
    for outcome in folder.outcomes:
        days |= {(day.asset, day.day): (day.lines, day.opening, day.closing, day.verdict) for day in outcome.statement}
    return {
        "verdicts": sorted(open_or_late, key=lambda row: row["break_id"]),
        "statement": days,
        "curve": state_rows(last.folder, "curve.parquet"),
        # Which batch brought a row is history, too.
        "open": [
            sorted(
                (
                    {name: value for name, value in row.items() if name != "batch_id"}
                    for row in state_rows(last.folder, file)
                ),
                key=lambda row: str(sorted(row.items())),
            )
            for file in ("open_confirmations.parquet", "open_entries.parquet")
        ],
    }


@FOLDS
@given(worlds, st.lists(st.integers(0, 75), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_cutting_the_rows_into_batches_in_any_order_changes_nothing(
    new_folder, make, state_rows, at, world, cuts, chance
) -> None:
    rows = [make(number, event) for number, event in enumerate(world)]
    ticks = [*sorted(set(cuts)), COMPLETE_MINUTES]
    arrival = []
    for _, row in rows:
        time = row.get("confirmed_at") or row["posted_at"]
        # A row may come early, and must have come when the watermark passes it.
        latest = next(number for number, tick in enumerate(ticks) if at(tick) > time)
        arrival.append(chance.randint(0, latest))
    with tempfile.TemporaryDirectory() as home:
        one = fold_in_batches(new_folder(Path(home) / "one"), rows, [0] * len(rows), [COMPLETE_MINUTES], at)
        many = fold_in_batches(new_folder(Path(home) / "many"), rows, arrival, ticks, at)
        assert final(many, state_rows) == final(one, state_rows)


def thousand_worlds(make: Any, chance: random.Random) -> list[tuple[str, dict[str, Any]]]:
    """Worlds that share nothing, folded together: one fold costs as much as a thousand."""
    rows = []
    for world in range(1000):
        for _ in range(chance.randint(0, 10)):
            reference = chance.choice([None, None, "R1", "R2", "R12", "R21", "RO2", "R02"])
            event = (
                chance.choice(["told", "posted"]),
                chance.randint(0, 60),
                reference and f"{world}-{reference}",
                f"{world}-{chance.choice('AAB')}",
                chance.choice([100, 100, 200, 250]),
            )
            last = (
                chance.choice(["success"] * 7 + ["reversed"]) if event[0] == "told" else chance.choice([1] * 6 + [-1])
            )
            rows.append(make(len(rows), (*event, last)))
            if rows[-1][0] == "told" and last == "success":
                rows[-1][1]["balance_minor"] = chance.choice([None, 1000, 1100, 1200, 1300])
    return rows


def arrivals(rows: list[tuple[str, dict[str, Any]]], ticks: list[int], at: Any, chance: random.Random) -> list[int]:
    """With which tick each row arrives: any, as long as the watermark has not passed it."""
    return [
        chance.randint(0, next(n for n, tick in enumerate(ticks) if at(tick) > row[TIMES[side]])) for side, row in rows
    ]


def payments_of(rows: list[tuple[str, dict[str, Any]]], paid_row: Any, chance: random.Random) -> list[Any]:
    """Payments of some purchases: once, twice, under their reference or none, given back, and of purchases nobody told of."""
    found = []
    for number, (side, row) in enumerate(rows):
        if (side == "posted" and chance.random() < 0.8) or (side == "told" and chance.random() < 0.3):
            continue
        for copy in range(chance.choice([1, 1, 1, 2])):
            at = row[TIMES[side]] + timedelta(minutes=chance.randint(-10, 5))
            reference = chance.choice([row["reference"], row["reference"], None])
            amount = abs(row["amount_minor"]) * chance.choice([1, 1, 1, 1, -1])
            found.append(("paid", paid_row(at, reference, row["account"], amount, row=f"{number}.{copy}")))
    return found


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("keyless", [False, True])
def test_a_thousand_worlds_folded_at_once_do_not_depend_on_the_cut(
    new_folder, make, posted_row, state_rows, balance_of, at, tmp_path, seed, keyless
) -> None:
    chance = random.Random(seed)
    rows = thousand_worlds(make, chance)
    own = [
        pay(row, number, chance) for number, (side, row) in enumerate(rows) if side == "told" and chance.random() < 0.1
    ]
    for number, attempt in enumerate(own):
        for copy in range(chance.choice([0, 1, 1, 1, 2])):
            landed_at, where = attempt["sent_at"] + timedelta(minutes=chance.randint(0, 10)), attempt["account"]
            key, name = None if keyless else attempt["own_key"], f"own {number}.{copy}"
            rows.append(("posted", posted_row(landed_at, None, where, attempt["amount_minor"], row=name, own_key=key)))
    ticks = [*sorted(chance.sample(range(80), 1 + seed % 5)), COMPLETE_MINUTES]
    arrival = arrivals(rows, ticks, at, chance)
    folders = [new_folder(tmp_path / name) for name in ("one", "many")]
    for folder in folders:
        folder.rules = replace(folder.rules, options=replace(folder.rules.options, keyless=keyless))
    one = fold_in_batches(folders[0], rows, [0] * len(rows), [COMPLETE_MINUTES], at, own)
    many = fold_in_batches(folders[1], rows, arrival, ticks, at, own)
    assert final(many, state_rows) == final(one, state_rows)
    said = [balance_of(row) for row in final(one, state_rows)["verdicts"] if row["kind"] in OWING]
    assert {"arrived", "missing", None} == {balance["says"] for balance in said if balance}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_thousand_worlds_with_payments_do_not_depend_on_the_cut(
    new_folder, make, paid_row, state_rows, at, tmp_path, seed
) -> None:
    chance = random.Random(seed)
    rows = thousand_worlds(make, chance)
    rows += payments_of(rows, paid_row, chance)
    ticks = [*sorted(chance.sample(range(120), 1 + seed % 5)), COMPLETE_MINUTES]
    arrival = arrivals(rows, ticks, at, chance)
    one = fold_in_batches(new_folder(tmp_path / "one"), rows, [0] * len(rows), [COMPLETE_MINUTES], at)
    many = fold_in_batches(new_folder(tmp_path / "many"), rows, arrival, ticks, at)
    assert final(many, state_rows) == final(one, state_rows)
    kinds = {row["kind"] for row in final(one, state_rows)["verdicts"]}
    assert {"paid_not_told", "charged_twice"} <= kinds


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_thousand_worlds_after_a_batch_is_withdrawn_are_as_if_it_had_never_come(
    new_folder, make, paid_row, state_rows, at, tmp_path, seed
) -> None:
    chance = random.Random(seed)
    rows = thousand_worlds(make, chance)
    rows += payments_of(rows, paid_row, chance)
    ticks = [*sorted(chance.sample(range(5, 55), 4)), COMPLETE_MINUTES]
    arrival = arrivals(rows, ticks, at, chance)
    wrong, side = chance.randint(0, 3), chance.choice(["told", "posted", "paid"])
    gone = (f"{ {'told': 'c', 'posted': 'e', 'paid': 'p'}[side] }{wrong}",)
    withdrawn_at = chance.randint(wrong + 1, len(ticks) - 1)
    folder = fold_in_batches(
        new_folder(tmp_path / "withdrawn"), rows, arrival, ticks, at, withdrawals={withdrawn_at: gone}
    )
    never = [
        -1 if when == wrong and row_side == side else when for (row_side, _), when in zip(rows, arrival, strict=True)
    ]
    assert never != arrival
    other = fold_in_batches(new_folder(tmp_path / "never"), rows, never, ticks, at)
    assert final(folder, state_rows) == final(other, state_rows)
    path = str(folder.home / f"{gone[0]}.parquet")
    assert path not in state.needed_files(folder.outcomes[-1].folder, "topup")


def pay(told: dict[str, Any], number: int, chance: random.Random) -> dict[str, Any]:
    """An attempt of ours to make a purchase good."""
    return {
        "own_key": f"key {number}",
        "intent_id": told["confirmation_id"],
        "break_id": told["confirmation_id"],
        "account": told["account"],
        "asset": told["asset"],
        "amount_minor": told["amount_minor"],
        "sent_at": told["confirmed_at"] + timedelta(minutes=chance.randint(16, 40)),
        "status": chance.choice(["accepted", "confirmed", "unknown", "created", "failed_proven"]),
    }


@FOLDS
@given(worlds, st.randoms(use_true_random=False))
def test_shuffled_rows_say_the_same_and_a_second_run_writes_the_same_bytes(
    new_folder, make, state_rows, at, world, chance
) -> None:
    rows = [make(number, event) for number, event in enumerate(world)]
    shuffled = rows.copy()
    chance.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as home:
        folders = [
            fold_in_batches(new_folder(Path(home) / name), order, [0] * len(rows), [COMPLETE_MINUTES], at)
            for name, order in (("first", rows), ("again", rows), ("shuffled", shuffled))
        ]
        assert final(folders[2], state_rows) == final(folders[0], state_rows)
        for file in folders[0].outcomes[0].folder.iterdir():
            if file.suffix == ".parquet":
                again = folders[1].outcomes[0].folder / file.name
                assert file.read_bytes() == again.read_bytes(), f"{file.name} differs between two runs"


@FOLDS
@given(worlds)
def test_nothing_is_in_two_matches_and_what_is_owed_is_what_is_missing(new_folder, make, rows_of, at, world) -> None:
    rows = [make(number, event) for number, event in enumerate(world)]
    with tempfile.TemporaryDirectory() as home:
        folder = fold_in_batches(new_folder(Path(home)), rows, [0] * len(rows), [COMPLETE_MINUTES], at)
        outcome = folder.outcomes[0]
        groups: dict[str, set[str]] = defaultdict(set)
        for match in rows_of(outcome.matches):
            groups[match["confirmation_id"]].add(match["match_id"])
            groups[match["entry_id"]].add(match["match_id"])
        assert all(len(of_row) == 1 for of_row in groups.values())
        owed = sum(
            row["owed_minor"]
            for row in rows_of(outcome.verdicts)
            if row["kind"] not in CLOSED and row["confirmed_minor"]
        )
        over = sum(day.lines["ledger"]["over"].minor for day in outcome.statement)
        below = sum(
            -row["credited_minor"]
            for row in rows_of(outcome.verdicts)
            if row["confirmed_minor"] and row["credited_minor"] < 0
        )
        retracted_over = sum(
            row["credited_minor"]
            for row in rows_of(outcome.verdicts)
            if not row["confirmed_minor"] and row["confirmation_ids"]
        )
        assert (
            owed
            == sum(day.lines["confirmation"]["owed"].minor for day in outcome.statement) - over + below + retracted_over
        )


@FOLDS
@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=8),
    st.lists(st.integers(0, 75), max_size=8),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_identical_purchases_leave_exactly_as_many_owed_as_the_best_matching(
    new_folder, told_row, posted_row, rows_of, at, told_at, posted_at, referenced, chance
) -> None:
    told = [
        told_row(at(minute), f"R{number}" if referenced else None, "A", 100, message=f"m{number}")
        for number, minute in enumerate(told_at)
    ]
    posted = [posted_row(at(minute), None, "A", 100, row=f"e{number}") for number, minute in enumerate(posted_at)]
    chance.shuffle(told)
    with tempfile.TemporaryDirectory() as home:
        outcome = new_folder(Path(home)).fold(told, posted, complete=at(COMPLETE_MINUTES))
        owed = [row for row in rows_of(outcome.verdicts) if row["kind"] == "never_credited"]
    assert len(owed) == len(told_at) - best_matching(sorted(told_at), sorted(posted_at), 15)


def best_matching(told_at: list[int], posted_at: list[int], window: int) -> int:
    """The size of a maximum matching, by trying augmenting paths from every confirmation."""
    owner: dict[int, int] = {}

    def augment(confirmation: int, seen: set[int]) -> bool:
        for entry, minute in enumerate(posted_at):
            if entry not in seen and told_at[confirmation] <= minute <= told_at[confirmation] + window:
                seen.add(entry)
                if entry not in owner or augment(owner[entry], seen):
                    owner[entry] = confirmation
                    return True
        return False

    return sum(augment(confirmation, set()) for confirmation in range(len(told_at)))


def test_a_stalled_watermark_declares_nothing_missing(new_folder, told_row, posted_row, rows_of, at, tmp_path) -> None:
    folder = new_folder(tmp_path)
    told = [told_row(at(minute), f"R{minute}", "A", 100, message=f"m{minute}") for minute in range(30)]
    for hour in range(3):
        outcome = folder.fold(told if hour == 0 else [], [], complete=at(60 * (hour + 2)), ledger_complete=at(10))
        assert rows_of(outcome.verdicts) == []
    assert outcome.counts.open_confirmations == 30
    outcome = folder.fold([], [posted_row(at(5), "R3", "A", 100, row="e")], complete=at(300), ledger_complete=at(300))
    assert {row["kind"] for row in rows_of(outcome.verdicts)} == {"never_credited"}
    assert len(rows_of(outcome.verdicts)) == 29


def test_a_row_that_comes_after_its_watermark_supersedes_the_verdict_in_any_cut(
    new_folder, told_row, posted_row, rows_of, at, tmp_path
) -> None:
    told = told_row(at(0), "R1", "A", 100, message="m")
    late = posted_row(at(1), "R1", "A", 100, row="e")
    for number, ticks in enumerate(([20], [20, 30], [16, 20, 25])):
        folder = new_folder(tmp_path / str(number))
        for position, tick in enumerate(ticks):
            folder.fold([told] if position == 0 else [], [], complete=at(tick))
        outcome = folder.fold([], [late], complete=at(40))
        assert [(row["version"], row["kind"]) for row in rows_of(outcome.verdicts)] == [(2, "late_credit")]


def test_delivering_the_same_batch_again_changes_nothing(
    new_folder, told_row, posted_row, state_rows, at, tmp_path
) -> None:
    chance = random.Random(7)
    told = [told_row(at(n), f"R{n}", "A", 100, message=f"m{n}") for n in range(20)]
    posted = [posted_row(at(n) + timedelta(seconds=30), f"R{n}", "A", 100, row=f"e{n}") for n in range(20) if n % 5]
    once, twice = new_folder(tmp_path / "once"), new_folder(tmp_path / "twice")
    for folder in (once, twice):
        folder.fold(told, posted, complete=at(60))
    once.fold([], [], complete=at(90))
    twice.fold(told[5:], chance.sample(posted, 10), complete=at(90))
    assert final(once, state_rows)["verdicts"] == final(twice, state_rows)["verdicts"]
    assert final(once, state_rows)["statement"] == final(twice, state_rows)["statement"]
    assert twice.outcomes[1].counts.verdicts == 0
