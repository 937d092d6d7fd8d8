"""Other people's messages, dropped before they land.

An SMS centre's log holds codes, bank alerts and private texts beside the confirmations. Of a row from a sender who is not on
the feed's list, and of one whose sender cannot be read, the copy keeps that there was one, and nothing else.
"""

from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from reconcile.config import Feed
from reconcile.feeds.limits import Limits
from reconcile.feeds.partial_copy import copy_lines, copy_parquet
from reconcile.feeds.readers import RawRow, read_rows

_UNREADABLE: Final = {"jsonl": '"withheld"', "csv": "withheld"}
"""Stands for a row that cannot be taken apart, and cannot be taken apart either."""


def listed_senders(feed: Feed) -> frozenset[str]:
    """The senders whose messages a feed is about, in the form in which they are compared; empty when it takes all."""
    return frozenset(sender.casefold() for sender in feed.senders)


def copy_listed(source: Path, target: Path, feed: Feed, limits: Limits) -> None:
    """Copies a file of the feed without what other senders wrote. Rows keep their numbers.

    Raises `Refused` where the file cannot be read on: who sent the rest of it is not known, so none of it is kept.
    """
    listed = listed_senders(feed)
    if feed.file_format == "parquet":
        for _ in read_rows(source, feed, limits):
            pass  # what cannot be read must be refused before any of it is copied
        copy_parquet(source, target, lambda batch: _from_listed(batch, feed.named_columns["sender"], listed))
    else:
        copy_lines(source, target, feed, limits, lambda row: _copied(row, feed, listed))


def _copied(row: RawRow, feed: Feed, listed: frozenset[str]) -> str | None:
    if row.problem:
        return _UNREADABLE[feed.file_format]
    return row.raw if (row.cells["sender"] or "").casefold() in listed else None


def _from_listed(batch: Any, column: str, listed: frozenset[str]) -> Any:
    senders = [str(sender or "").strip().casefold() for sender in batch.column(column).to_pylist()]
    return pa.array([sender in listed for sender in senders])
