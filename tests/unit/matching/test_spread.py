"""Accounts spread over the buckets of a cluster: what comes out is what one machine says, row for row."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest

from reconcile.matching.cluster import ClusterError
from reconcile.matching.spread.connections import connect
from reconcile.matching.spread.sources import PublishedFile, cut
from reconcile.matching.statement import ConservationError


def without_last_entries(read: Any, task: int) -> Any:
    yield from (parcel for parcel in read(task) if (parcel.name, parcel.number) != ("posted", 3))


@pytest.mark.parametrize("with_payments", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_buckets_together_say_what_one_machine_says(
    new_folder, crowd, said, at, here, tmp_path, seed, with_payments
) -> None:
    rows = crowd(seed)
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
        heard.append((said(outcome.folder), outcome.counts, outcome.statement))
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
