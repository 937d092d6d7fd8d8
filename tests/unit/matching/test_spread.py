"""Accounts spread over the buckets of a cluster: what comes out is what one machine says, row for row."""

from __future__ import annotations

import json
import random
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from reconcile.matching.cluster import ClusterError
from reconcile.matching.spread.connections import connect
from reconcile.matching.spread.sources import PublishedFile, cut
from reconcile.matching.statement import ConservationError

if TYPE_CHECKING:
    from pathlib import Path

ATTEMPT = "11111111-1111-5111-8111-111111111111"


def crowd(chance: random.Random, told_row: Any, posted_row: Any, paid_row: Any, at: Any) -> dict[str, list[Any]]:
    """Rows of many small worlds, whose accounts share references, ids, payments and our own credits in every way that there is."""
    rows: dict[str, list[Any]] = {"told": [], "posted": [], "paid": [], "own": []}
    for world in range(150):
        accounts = [f"{world}{letter}" for letter in "ABC"]
        references = [
            None,
            f"{world}R1",
            f"{world}R1",
            f"{world}R12",
            f"{world}R21",
            "SHARED" if world % 10 == 0 else f"{world}RO",
        ]
        for number in range(chance.randint(0, 12)):
            name, minute = f"{world}/{number}", at(chance.randint(0, 60))
            reference, account = chance.choice(references), chance.choice(accounts)
            unit, amount = chance.choice(["XOF", "XOF", "XOF", "MB"]), chance.choice([100, 100, 200])
            match chance.randint(0, 9):
                case 0 | 1 | 2 | 3:
                    outcome = chance.choice(["success", "success", "success", "reversed"])
                    # One purchase may be told twice, with another account.
                    message = chance.choice([name, f"{world}/twice"])
                    rows["told"].append(
                        told_row(
                            minute,
                            reference,
                            account,
                            amount,
                            message=message,
                            unit=unit,
                            outcome=outcome,
                            balance=chance.choice([None, 100, 200, 300]),
                        )
                    )
                case 4 | 5 | 6 | 7:
                    signed, own_key = chance.choice([1, 1, 1, 1, -1]) * amount, None
                    if rows["told"] and chance.random() < 0.05:
                        own_key = name
                        purchase = chance.choice(rows["told"])
                        rows["own"].append(attempt(own_key, purchase, at(0)))
                        account = chance.choice([account, purchase["account"]])
                    kind = chance.choice([None, None, None, "held"]) if own_key is None else None
                    rows["posted"].append(
                        posted_row(minute, reference, account, signed, row=name, unit=unit, kind=kind, own_key=own_key)
                    )
                case _:
                    rows["paid"].append(paid_row(minute, reference, account, amount, row=name, unit=unit))
    return rows


def attempt(own_key: str, purchase: dict[str, Any], sent_at: Any) -> dict[str, Any]:
    return {
        "own_key": own_key,
        "intent_id": ATTEMPT,
        "break_id": purchase["confirmation_id"],
        "account": purchase["account"],
        "asset": purchase["asset"],
        "amount_minor": purchase["amount_minor"],
        "sent_at": sent_at,
        "status": "confirmed",
    }


def without_last_entries(read: Any, task: int) -> Any:
    yield from (parcel for parcel in read(task) if (parcel.name, parcel.number) != ("posted", 3))


def said(folder: Path, rows_of: Any) -> dict[str, Any]:
    """All that a fold wrote."""
    tables = {file.name: rows_of(file) for file in sorted(folder.glob("*.parquet"))}
    tables["matches.parquet"].sort(key=lambda row: tuple(map(str, row.values())))
    return tables | {"statement": json.loads((folder / "statement.json").read_text())}


@pytest.mark.parametrize("with_payments", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_buckets_together_say_what_one_machine_says(
    new_folder, told_row, posted_row, paid_row, rows_of, at, here, tmp_path, seed, with_payments
) -> None:
    rows = crowd(random.Random(seed), told_row, posted_row, paid_row, at)
    heard = []
    for name, cluster in (("one", None), ("many", here)):
        folder = new_folder(tmp_path / name, cluster=cluster)
        outcome = folder.fold(
            rows["told"],
            rows["posted"],
            payments=rows["paid"] if with_payments else None,
            own=rows["own"],
            complete=at(24 * 60),
            held_accounts=("7A",),
            held_references=("8R1",),
        )
        heard.append((said(outcome.folder, rows_of), outcome.counts, outcome.statement))
    one, many = heard
    for file, content in one[0].items():
        assert many[0][file] == content, file
    assert many[1:] == one[1:]
    kinds = Counter(row["kind"] for row in one[0]["verdicts.parquet"])
    assert {
        "misdirected",
        "wrong_asset",
        "ambiguous",
        "never_credited",
        "orphan_credit",
        "under_credited",
    } <= kinds.keys()


def test_rows_that_are_lost_between_machines_are_missed(new_folder, told_row, posted_row, at, here, tmp_path) -> None:
    class Careless(type(here)):
        def shuffle(self, tasks: int, read: Any, buckets: int, work: Any) -> Any:
            return super().shuffle(tasks, partial(without_last_entries, read), buckets, work)

    told = [told_row(at(n), f"R{n}", f"A{n}", 100, message=f"m{n}") for n in range(5)]
    posted = [posted_row(at(n), f"R{n}", f"A{n}", 100, row=f"e{n}") for n in range(5)]
    with pytest.raises(
        ConservationError, match="rows of the files less rows of the buckets: confirmations 0, entries 2"
    ):
        new_folder(tmp_path, cluster=Careless()).fold(told, posted, complete=at(24 * 60))


def test_a_flow_that_was_folded_before_is_refused(new_folder, told_row, at, here, tmp_path) -> None:
    folder = new_folder(tmp_path, cluster=here)
    folder.fold([told_row(at(0), "R", "A", 100, message="m")], [], complete=at(1))
    with pytest.raises(ClusterError, match="topup has been folded before"):
        folder.fold([], [], complete=at(24 * 60))


def test_a_cluster_is_not_asked_where_there_are_no_rows(new_folder, at, tmp_path) -> None:
    assert new_folder(tmp_path, cluster=object()).fold([], [], complete=at(1)).statement == ()


def test_what_is_connected_through_others_is_connected() -> None:
    found = connect([(1, 10, False), (1, 20, False), (2, 20, False), (2, 30, False), (3, 40, False), (3, 50, True)])
    assert dict(found.root) == {10: 10, 20: 10, 30: 10, 40: 40, 50: 40}
    assert found.own == 40
    assert connect([]).own == 0


def test_files_are_cut_into_pieces_that_hold_each_row_once() -> None:
    sources = [PublishedFile("told", "a", 5), PublishedFile("posted", "b", 2), PublishedFile("posted", "c", 9)]
    tasks = cut(sources, 4)
    assert [[(piece.source.path, piece.first, piece.last) for piece in task] for task in tasks] == [
        [("a", 0, 3)],
        [("a", 4, 4), ("b", 0, 1), ("c", 0, 0)],
        [("c", 1, 4)],
        [("c", 5, 8)],
    ]
    assert [piece.number for task in tasks for piece in task] == list(range(6))
    assert cut([], 4) == []
