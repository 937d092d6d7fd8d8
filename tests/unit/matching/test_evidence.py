"""What every verdict says of itself: its rows, which passes were tried, why each failed, and since when it could be known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconcile.domain.breaks import OWING, BreakKind

GOLDEN = Path(__file__).parents[2] / "golden" / "matching"
STORIES = {
    BreakKind.AMBIGUOUS: ["ambiguous_readings", "two_claims_on_one_entry", "split_in_two_ways"],
    BreakKind.HELD: ["held_back"],
}
"""Kind → stories in which it comes about; a kind's own name where nothing stands here."""
TRIED = ["own", "reference", "near_reference", "identity", "split", "tolerance", "balance"]
OF_A_PAYMENT = ["own", "reference", "identity"]
SUCCESSES = {
    "our own credit",
    "entries with this reference",
    "a reference that differs by a slip of the pen",
    "an entry of the same account and amount within the window",
    "entries of the account that add up to the amount",
    "a purchase with this reference",
}
WHOLE = {BreakKind.LATE_CREDIT, BreakKind.OVER_CREDITED, BreakKind.UNDER_CREDITED}
"""Kinds in which a pass did find something: late, too much or too little."""


@pytest.mark.parametrize("kind", BreakKind)
def test_a_verdict_of_each_kind_carries_its_rows_its_passes_and_its_time(
    kind: BreakKind, story: Any, rows_of: Any
) -> None:
    found = []
    for name in STORIES.get(kind, [str(kind)]):
        story.play((GOLDEN / f"{name}.txt").read_text(encoding="utf-8"))
        story.folder.outcomes, finished = [], story.folder.outcomes
        found += [row for outcome in finished for row in rows_of(outcome.verdicts) if row["kind"] == kind]
    assert found
    for row in found:
        evidence = json.loads(row["evidence"])
        rows = [*row["confirmation_ids"], *row["entry_ids"], *evidence.get("payment_ids", ())]
        assert rows
        assert row["break_id"] in rows
        is_payment = "payment_ids" in evidence
        assert [tried["pass"] for tried in evidence["passes"]] == (OF_A_PAYMENT if is_payment else TRIED)
        said = {tried["found"] for tried in evidence["passes"]}
        assert all(len(one) > 10 for one in said)
        assert bool(said & SUCCESSES) == (kind in WHOLE) or kind == "reversed_after_credit"
        assert row["confirmed_at"] is not None or not row["confirmation_ids"]
        assert row["decidable_at"] >= (row["confirmed_at"] or row["credited_at"])
        if kind in OWING:
            assert row["decidable_at"] >= row["deadline_at"], "nothing is missing before its deadline"


@pytest.mark.parametrize(
    ("name", "pass_", "found"),
    [
        ("misdirected", "reference", "an entry on another account has the same reference"),
        ("wrong_asset", "reference", "an entry in another asset has the same reference"),
        ("ambiguous_readings", "identity", "not tried: the messages contradict one another"),
        ("two_claims_on_one_entry", "reference", "another purchase could mean the same entry"),
        ("two_claims_on_one_entry", "identity", "another purchase could mean the same entry"),
        ("split_in_two_ways", "split", "several entries could be meant"),
        ("near_reference_must_be_the_only_one", "near_reference", "several entries could be meant"),
        ("tolerance", "tolerance", "more is missing than the fee of this flow"),
        ("recredit_missing", "own", "our credit is not on the ledger"),
        ("running_balance", "balance", "the balance in the messages of this account rose by the amount"),
        ("running_balance", "balance", "the balance in the messages of this account did not rise by the amount"),
        ("charged_twice", "identity", "the purchase of this account and amount was paid by another payment"),
    ],
)
def test_a_pass_says_why_it_failed(name: str, pass_: str, found: str, story: Any, state_rows: Any) -> None:
    story.play((GOLDEN / f"{name}.txt").read_text(encoding="utf-8"))
    said = [
        (tried["pass"], tried["found"])
        for row in state_rows(story.folder.outcomes[-1].folder, "judged.parquet")
        for tried in json.loads(row["evidence"]).get("passes", ())
    ]
    assert (pass_, found) in said
