"""Payment rows: who paid what, and for whom."""

from collections.abc import Iterable
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from reconcile.config import Feed, Flow
from reconcile.domain.confirmation import normalise_reference
from reconcile.domain.ids import payment_id
from reconcile.feeds.draft import Draft
from reconcile.feeds.movement import Movement
from reconcile.feeds.readers import RawRow
from reconcile.feeds.values import read_account, read_key, read_moment

COLUMNS: Final[dict[str, Any]] = {
    "id": pa.string(),
    "row_key": pa.string(),
    "reference": pa.string(),
    "account": pa.string(),
    "payer": pa.string(),
    "asset": pa.string(),
    "amount_minor": pa.int64(),
    "kind": pa.string(),
    "paid_at": pa.timestamp("us", tz="UTC"),
}
"""What is read from each row. A reversal (money given back to the payer) is negative, whatever sign it was delivered with."""


class Payments:
    """Reads the rows of one payment feed. A payment that names no account is for the payer's own."""

    suite = "payments"
    table = "payments"
    columns = COLUMNS
    moment = "paid_at"

    def __init__(self, feed: Feed, flow: Flow) -> None:
        self._feed = feed
        self._zone = ZoneInfo(feed.zone)
        self._movement = Movement(feed, flow, "payment")

    def read(self, rows: Iterable[RawRow]) -> list[Draft]:
        return [self._draft(row) for row in rows]

    def _draft(self, row: RawRow) -> Draft:
        draft, cells = Draft.of(row, COLUMNS), row.cells
        if row.problem:
            return draft
        if cells["row_key"]:
            row_key = draft.attempt("row_key", read_key, cells["row_key"])
            draft.found["id"] = payment_id(self._feed.name, row_key).hex if row_key else None
        draft.found["reference"] = normalise_reference(cells.get("reference"))
        if cells["payer"]:
            draft.attempt("payer", read_account, cells["payer"], self._feed.region)
        if cells.get("account"):
            draft.attempt("account", read_account, cells["account"], self._feed.region)
        else:
            draft.found["account"] = draft.found["payer"]
        if cells["paid_at"]:
            draft.attempt("paid_at", read_moment, cells["paid_at"], self._zone, *self._feed.time_rule)
        self._movement.read(draft)
        return draft
