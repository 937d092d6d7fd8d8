"""Ledger rows to entries."""

import hashlib
from collections.abc import Iterable
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from reconcile.config import Feed, Flow
from reconcile.domain.confirmation import normalise_reference
from reconcile.domain.ids import entry_id
from reconcile.feeds.draft import Draft
from reconcile.feeds.movement import Movement
from reconcile.feeds.readers import RawRow
from reconcile.feeds.values import read_account, read_key, read_moment

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
_SAID: Final = ("reference", "account", "asset", "amount_minor", "kind", "own_key", "posted_at")


class Entries:
    """Reads the rows of one ledger feed."""

    suite = "ledger"
    table = "entries"
    columns = COLUMNS
    moment = "posted_at"

    def __init__(self, feed: Feed, flow: Flow) -> None:
        self._feed = feed
        self._zone = ZoneInfo(feed.zone)
        self._movement = Movement(feed, flow, "purchase")

    def read(self, rows: Iterable[RawRow]) -> list[Draft]:
        return [self._draft(row) for row in rows]

    def _draft(self, row: RawRow) -> Draft:
        draft, cells = Draft.of(row, COLUMNS), row.cells
        if row.problem:
            return draft
        if key := cells.get("row_key"):
            row_key = draft.attempt("row_key", read_key, key)
            draft.found["id"] = entry_id(self._feed.name, row_key).hex if row_key else None
        draft.found["reference"] = normalise_reference(cells.get("reference"))
        draft.found["own_key"] = cells.get("own_key")
        if cells["account"]:
            draft.attempt("account", read_account, cells["account"], self._feed.region)
        if cells["posted_at"]:
            draft.attempt("posted_at", read_moment, cells["posted_at"], self._zone, *self._feed.time_rule)
        self._movement.read(draft)
        if self._feed.is_keyless:
            draft.found["row_key"] = _content_key(draft)
        return draft


def _content_key(draft: Draft) -> str:
    """What the row says, the same for all rows that say it; begins with its time, so that deliveries of different hours have
    keys of different ranges. `sql/feeds/tell_apart.sql` makes a key of it.
    """
    found = draft.found
    said = [found[name] for name in _SAID]
    if None in (found["account"], found["amount_minor"], found["posted_at"]):
        said = sorted(draft.row.cells.items())
    digest = hashlib.sha256(repr(said).encode()).hexdigest()[:32]
    return f"{found['posted_at']:%Y%m%dT%H%M%S.%f}-{digest}" if found["posted_at"] else digest
