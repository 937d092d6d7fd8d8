from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from reconcile.matching import state

HOUR = 60
DAY = 24 * HOUR


def kinds(outcome: Any, rows_of: Any) -> list[tuple[str, int]]:
    return sorted((row["kind"], row["version"]) for row in rows_of(outcome.verdicts))


def lines(outcome: Any) -> dict[Any, Any]:
    return {day.day: day.lines for day in outcome.statement}


def test_what_settled_leaves_the_open_items_and_is_recalled_by_a_row_that_concerns_it(
    folder, told_row, posted_row, rows_of, at
) -> None:
    folder.fold(
        [told_row(at(0), "R1", "A", 100, message="m")], [posted_row(at(1), "R1", "A", 100, row="e")], complete=at(30)
    )
    assert folder.outcomes[0].counts.open_confirmations == 0
    reversed_later = folder.fold([], [posted_row(at(HOUR), "R1", "A", -100, row="r")], complete=at(2 * HOUR))
    assert kinds(reversed_later, rows_of) == [("reversed_after_credit", 1)]
    assert reversed_later.counts.open_confirmations == 1
    again = folder.fold([], [posted_row(at(3 * HOUR), "R1", "A", 100, row="again")], complete=at(4 * HOUR))
    assert kinds(again, rows_of) == [("late_credit", 2)]


def test_a_message_that_retracts_under_another_account_finds_its_purchase(
    folder, told_row, posted_row, rows_of, at
) -> None:
    folder.fold(
        [told_row(at(0), "R1", "A", 100, message="m")], [posted_row(at(1), "R1", "A", 100, row="e")], complete=at(30)
    )
    taken_back = told_row(at(40), "R1", "+unknown", 100, message="m2", outcome="reversed")
    assert kinds(folder.fold([taken_back], [], complete=at(60)), rows_of) == [("over_credited", 1)]


def test_beyond_the_horizon_sums_stay_and_rows_go(folder, told_row, posted_row, rows_of, at) -> None:
    told = [told_row(at(n), f"R{n}" if n % 2 else None, f"A{n}", 100, message=f"m{n}") for n in range(10)]
    posted = [posted_row(at(n + 1), None, f"A{n}", 100, row=f"e{n}") for n in range(9)]
    first = folder.fold(told, posted, complete=at(HOUR))
    assert kinds(first, rows_of) == [("never_credited", 1)]
    for day in range(1, 5):
        later = at(day * DAY)
        folder.fold([told_row(later, f"D{day}", "B", 5, message=f"d{day}")], [], complete=later + timedelta(minutes=1))
    last = folder.outcomes[-1]
    manifest = state.read(last.folder, "topup")
    assert [file.path for file in manifest.confirmations] == [str(folder.home / "c4.parquet")]
    assert str(folder.home / "c0.parquet") not in state.needed_files(last.folder, "topup")
    statement = json.loads((last.folder / state.STATEMENT).read_text())
    assert statement[0]["sides"]["confirmation"]["credited"] == {"rows": 9, "minor": 900}
    assert statement[0]["sides"]["confirmation"]["owed"] == {"rows": 1, "minor": 100}
    assert [day["closing"]["rows"] for day in statement] == [1, 2, 3, 4, 5]
    # The open breaks and the newest purchase are all that is left to look at.
    assert last.counts.open_confirmations == 5
    assert last.counts.open_entries == 0


def test_an_open_break_outlives_the_horizon_until_it_is_paid(folder, told_row, posted_row, rows_of, at) -> None:
    purchase = told_row(at(0), "R1", "A", 100, message="m")
    folder.fold([purchase], [], complete=at(HOUR))
    folder.fold([], [], complete=at(5 * DAY))
    sent_at = at(5 * DAY + 1)
    own = [
        {
            "own_key": "k",
            "intent_id": purchase["confirmation_id"],
            "break_id": purchase["confirmation_id"],
            "account": "A",
            "asset": "XOF",
            "amount_minor": 100,
            "sent_at": sent_at,
            "status": "confirmed",
        }
    ]
    entry = posted_row(sent_at, None, "A", 100, row="ours", own_key="k")
    assert kinds(folder.fold([], [entry], complete=at(5 * DAY + HOUR), own=own), rows_of) == [("settled", 2)]
    assert [row["verdict"] for row in rows_of(folder.outcomes[-1].own)] == ["verified"]


def balances(outcome: Any, rows_of: Any, balance_of: Any) -> list[Any]:
    return [(row["version"], (balance_of(row) or {}).get("says")) for row in rows_of(outcome.verdicts)]


def test_a_message_of_a_later_batch_says_what_became_of_the_balance_and_is_remembered_beyond_the_horizon(
    folder, told_row, posted_row, rows_of, balance_of, at
) -> None:
    before = told_row(at(0), "R1", "A", 100, message="m1", balance=300)
    missing = told_row(at(5), "R2", "A", 500, message="m2", balance=800)
    after = told_row(at(60), "R3", "A", 200, message="m3", balance=500)
    folder.fold([before], [posted_row(at(1), "R1", "A", 100, row="e1")], complete=at(3))
    first = folder.fold([missing], [], complete=at(30))
    assert balances(first, rows_of, balance_of) == [(1, "arrived")]
    second = folder.fold([after], [posted_row(at(61), "R3", "A", 200, row="e3")], complete=at(90))
    assert balances(second, rows_of, balance_of) == [(2, "missing")]
    assert [row["blocked"] for row in rows_of(first.verdicts) + rows_of(second.verdicts)] == [
        "the balance in the messages of this account says that the credit arrived",
        None,
    ]
    for day in range(1, 4):
        assert rows_of(folder.fold([], [], complete=at(day * DAY + HOUR)).verdicts) == []


def test_a_message_that_is_withdrawn_says_nothing_any_more(
    folder, told_row, posted_row, rows_of, balance_of, at
) -> None:
    credit = posted_row(at(1), "R1", "A", 100, row="e1")
    folder.fold([told_row(at(0), "R1", "A", 100, message="m1", balance=300)], [credit], complete=at(3))
    known = folder.fold([told_row(at(5), "R2", "A", 500, message="m2", balance=800)], [], complete=at(30))
    assert balances(known, rows_of, balance_of) == [(1, "arrived")]
    assert (2, None) in balances(folder.fold([], [], complete=at(31), withdrawn=("c0",)), rows_of, balance_of)


def test_batches_and_states_of_before_there_were_balances_are_read_as_without(
    folder, told_row, rows_of, balance_of, at
) -> None:
    folder.fold([told_row(at(0), "R1", "A", 100, message="m1")], [], complete=at(30))
    batch, known = folder.home / "c0.parquet", folder.outcomes[0].folder
    for file in (batch, known / state.CONFIRMATIONS):
        pq.write_table(pq.read_table(file).drop_columns("balance_minor"), file)
    (known / state.HEARD).unlink()
    last = folder.fold([told_row(at(31), "R2", "A", 500, message="m2", balance=800)], [], complete=at(60))
    assert balances(last, rows_of, balance_of) == [(1, None)]


def test_only_days_that_changed_are_reported(folder, told_row, posted_row, at) -> None:
    folder.fold(
        [told_row(at(0), "R1", "A", 100, message="m")], [posted_row(at(1), "R1", "A", 100, row="e")], complete=at(HOUR)
    )
    assert [day.day.isoformat() for day in folder.outcomes[0].statement] == ["2024-07-09"]
    next_day = told_row(at(DAY), "R2", "A", 100, message="n")
    outcome = folder.fold([next_day], [], complete=at(DAY + 1))
    assert [day.day.isoformat() for day in outcome.statement] == ["2024-07-10"]
    assert folder.fold([], [], complete=at(DAY + 2)).statement == ()


def test_a_folder_that_is_no_state_of_the_flow_is_refused(folder, told_row, at, tmp_path) -> None:
    outcome = folder.fold([told_row(at(0), "R1", "A", 100, message="m")], [], complete=at(30))
    with pytest.raises(state.StateError, match="holds no state"):
        state.read(tmp_path, "topup")
    with pytest.raises(state.StateError, match="is a state of the flow topup"):
        state.read(outcome.folder, "ticket")
    manifest = outcome.folder / state.MANIFEST
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 0'))
    with pytest.raises(state.StateError, match="has format 0"):
        state.read(outcome.folder, "topup")


def test_nothing_is_said_while_a_feed_has_never_told_how_far_it_is(folder, told_row, rows_of, at) -> None:
    outcome = folder.fold([told_row(at(0), "R1", "A", 100, message="m")], [], complete=None, as_of=at(DAY))
    assert rows_of(outcome.verdicts) == []
    assert [day.verdict for day in outcome.statement] == ["incomplete"]


def test_an_assumed_watermark_makes_the_verdict_assumed_and_a_proven_one_its_next_version(
    folder, told_row, rows_of, at
) -> None:
    told = told_row(at(0), "R1", "A", 100, message="m")
    assumed = folder.fold([told], [], complete=at(30), grade="assumed")
    assert [(row["version"], row["grade"]) for row in rows_of(assumed.verdicts)] == [(1, "assumed")]
    proven = folder.fold([], [], complete=at(40))
    assert [(row["version"], row["grade"]) for row in rows_of(proven.verdicts)] == [(2, "proven")]


def test_the_statement_counts_each_row_on_its_own_day(folder, told_row, posted_row, at) -> None:
    midnight = 12 * HOUR
    told = told_row(at(midnight - 1), "R1", "A", 100, message="m")
    posted = [
        posted_row(at(midnight + 1), "R1", "A", 100, row="e"),
        posted_row(at(midnight + 2), "R1", "A", 40, row="x"),
    ]
    found = lines(folder.fold([told], posted, complete=at(midnight + HOUR)))
    [day, next_day] = sorted(found)
    assert found[day]["confirmation"]["credited"].minor == 100
    assert found[day]["ledger"]["posted"].rows == 0
    assert found[next_day]["ledger"]["credited"].minor == 100
    assert found[next_day]["ledger"]["over"].minor == 40
