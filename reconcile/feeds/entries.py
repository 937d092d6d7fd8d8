"""Ledger rows to entries."""

from collections.abc import Iterable
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from reconcile.config import Feed, Flow
from reconcile.domain.confirmation import normalise_reference
from reconcile.domain.ids import entry_id
from reconcile.feeds.draft import Draft
from reconcile.feeds.readers import RawRow
from reconcile.feeds.values import (
    Unreadable,
    read_account,
    read_amount,
    read_asset,
    read_key,
    read_minor,
    read_moment,
)

COLUMNS: Final[dict[str, Any]] = {
    "id": pa.string(),
    "row_key": pa.string(),
    "reference": pa.string(),
    "account": pa.string(),
    "asset": pa.string(),
    "amount_minor": pa.int64(),
    "kind": pa.string(),
    "own_key": pa.string(),
    "posted_at": pa.timestamp("us", tz="UTC"),
}
"""What is read from each row. A reversal is negative, whatever sign it was delivered with."""


class Entries:
    """Reads the rows of one ledger feed."""

    suite = "ledger"
    table = "entries"
    columns = COLUMNS
    moment = "posted_at"

    def __init__(self, feed: Feed, flow: Flow) -> None:
        self._feed = feed
        self._unit = flow.unit
        self._zone = ZoneInfo(feed.zone)
        self._kinds = {word: kind for kind, words in feed.kinds.items() for word in words}

    def read(self, rows: Iterable[RawRow]) -> list[Draft]:
        return [self._draft(row) for row in rows]

    def _draft(self, row: RawRow) -> Draft:
        draft, cells = Draft.of(row, COLUMNS), row.cells
        if row.problem:
            return draft
        if cells["row_key"]:
            row_key = draft.attempt("row_key", read_key, cells["row_key"])
            draft.found["id"] = entry_id(self._feed.name, row_key).hex if row_key else None
        draft.found["reference"] = normalise_reference(cells.get("reference"))
        draft.found["own_key"] = cells.get("own_key")
        self._kind(draft)
        if cells["account"]:
            draft.attempt("account", read_account, cells["account"], self._feed.region)
        if cells["posted_at"]:
            draft.attempt("posted_at", read_moment, cells["posted_at"], self._zone, self._feed.time_format)
        self._amount(draft)
        return draft

    def _kind(self, draft: Draft) -> None:
        """Purchases and reversals are in scope. A kind of no name might be either, so it is not passed over."""
        if not self._kinds:
            return
        word = draft.row.cells.get("kind")
        kind = self._kinds.get(word or "")
        if kind in {"purchase", "reversal"}:
            draft.found["kind"] = kind
        elif word is None:
            draft.problems["kind"] = "says neither purchase nor reversal"
        elif kind is None and "ignored" in self._feed.kinds:
            draft.problems["kind"] = f"{word[:40]!r} is none of the kinds that are configured"
        else:
            draft.out_of_scope = True

    def _amount(self, draft: Draft) -> None:
        cells = draft.row.cells
        unit = self._unit
        if "asset" in self._feed.named_columns:
            found = draft.attempt("asset", read_asset, cells["asset"]) if cells["asset"] else None
            if found is None:
                return
            unit = found
        draft.found["asset"] = unit.code
        if not cells["amount"]:
            return
        try:
            draft.delivered = read_amount(cells["amount"], self._feed.decimal)
            amount_minor = read_minor(draft.delivered, unit)
        except Unreadable as error:
            draft.problems["amount_minor"] = str(error)
            return
        if not self._kinds:
            draft.found["kind"] = "reversal" if amount_minor < 0 else "purchase"
        draft.found["amount_minor"] = -abs(amount_minor) if draft.found["kind"] == "reversal" else amount_minor
