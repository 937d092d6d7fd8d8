"""The bulk of every run: groups of one confirmation and one entry that fit as they stand.

DuckDB joins, arrays of row numbers say which pairs are alone in their group, and the pairs are written in the order of the
confirmations: a join alone gives no order that two runs would share, and sorting ten million rows costs more than all else.
"""
# ruff: noqa: S608 - our own names

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reconcile.matching.session import Session

Rows = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PlainPairs:
    """By the row number of a confirmation: whether it is in a plain pair, and the row number of its entry if so."""

    is_plain: Mask
    entry_of: Rows
    count: int


def find_plain_pairs(session: Session) -> PlainPairs:
    """Run the reference pass's cheap half; the tables `odd_told` and `odd_posted` hold the rows that it leaves."""
    session.run("reference")
    pairs = session.arrays("SELECT told_row, posted_row, fits FROM pair")
    [(told_rows, posted_rows)] = session.rows(
        "SELECT (SELECT coalesce(max(row)::BIGINT + 1, 0) FROM confirmation),"
        " (SELECT coalesce(max(row)::BIGINT + 1, 0) FROM entry)"
    )
    told, posted = pairs["told_row"], pairs["posted_row"]
    alone = pairs["fits"].astype(bool)
    alone &= ~_seen_again(told, told_rows)[told]
    alone &= ~_seen_again(posted, posted_rows)[posted]
    # Rows with an open verdict and purchases that we paid are never settled unseen.
    alone &= ~_mask(_rows_of(session, "confirmation", "confirmation_id", "watched"), told_rows)[told]
    alone &= ~_mask(_rows_of(session, "entry", "entry_id", "watched"), posted_rows)[posted]
    alone &= ~_mask(_retold_rows(session), told_rows)[told]
    told, posted = told[alone], posted[alone]
    session.integers("odd_told", "row", np.flatnonzero(~_mask(told, told_rows)).astype(np.uint32))
    session.integers("odd_posted", "row", np.flatnonzero(~_mask(posted, posted_rows)).astype(np.uint32))
    entry_of = np.empty(told_rows, dtype=np.uint32)
    entry_of[told] = posted
    return PlainPairs(_mask(told, told_rows), entry_of, len(told))


def _retold_rows(session: Session) -> Rows:
    """Rows of purchases that were told more than once: perhaps with another account or amount, perhaps taken back."""
    digests = session.arrays("SELECT hash(confirmation_id) AS digest FROM confirmation")["digest"]
    digests.sort()
    # Two ids that share a digest by accident only get a closer look.
    session.integers("retold", "id", np.unique(digests[1:][digests[1:] == digests[:-1]]))
    return _rows_of(session, "confirmation", "hash(confirmation_id)", "retold")


def _rows_of(session: Session, view: str, expression: str, among: str) -> Rows:
    """The row numbers in `view` whose `expression` is an `id` in the table `among`."""
    [(count,)] = session.rows(f"SELECT count(*) FROM {among}")
    if not count:
        return np.empty(0, dtype=np.uint32)
    found = session.arrays(f"SELECT row FROM {view} WHERE {expression} IN (SELECT id FROM {among})")
    rows: Rows = found["row"]
    return rows


def _seen_again(rows: Rows, size: int) -> Mask:
    """Which row numbers below `size` are in `rows` more than once."""
    last = np.empty(size, dtype=np.uint32)
    position = np.arange(len(rows), dtype=np.uint32)
    last[rows] = position
    return _mask(rows[last[rows] != position], size)


def _mask(rows: Rows, size: int) -> Mask:
    mask = np.zeros(size, dtype=np.bool_)
    mask[rows] = True
    return mask
