"""Directory rows to how each customer wants to be told."""

from collections.abc import Iterable
from typing import Any, Final

import pyarrow as pa

from reconcile.config import Feed
from reconcile.feeds.draft import Draft
from reconcile.feeds.readers import RawRow
from reconcile.feeds.values import read_account, read_flag

COLUMNS: Final[dict[str, Any]] = {
    "row_key": pa.string(),
    "account": pa.string(),
    "language": pa.string(),
    "email": pa.string(),
    "channel": pa.string(),
    "opted_out": pa.bool_(),
}
"""What is read from each row; `row_key` is the account, one row each."""


class Contacts:
    """Reads the rows of one directory feed."""

    suite = "directory"
    table = "contacts"
    columns = COLUMNS
    moment = None

    def __init__(self, feed: Feed) -> None:
        self._region = feed.region

    def read(self, rows: Iterable[RawRow]) -> list[Draft]:
        return [self._draft(row) for row in rows]

    def _draft(self, row: RawRow) -> Draft:
        draft, cells = Draft.of(row, COLUMNS), row.cells
        if row.problem:
            return draft
        if cells["account"]:
            draft.found["row_key"] = draft.attempt("account", read_account, cells["account"], self._region)
        for column in ("language", "channel"):
            draft.found[column] = (cells.get(column) or "").lower() or None
        draft.found["email"] = cells.get("email")
        opted_out = cells.get("opted_out")
        draft.found["opted_out"] = False
        if opted_out:
            draft.found["opted_out"] = None
            draft.attempt("opted_out", read_flag, opted_out)
        return draft
