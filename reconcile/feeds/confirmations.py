"""Messages to confirmations: what customers were told, and by whom."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from reconcile.config import Feed, Flow
from reconcile.domain.confirmation import identity, normalise_reference
from reconcile.domain.ids import confirmation_id, normalise_case_number
from reconcile.domain.money import Asset
from reconcile.feeds.draft import Draft
from reconcile.feeds.messages import Catalogue, Message, Reading
from reconcile.feeds.readers import RawRow
from reconcile.feeds.values import Unreadable, read_account, read_asset, read_key, read_minor, read_moment
from reconcile.feeds.withholding import listed_senders

COLUMNS: Final[dict[str, Any]] = {
    "id": pa.string(),
    "row_key": pa.string(),
    "reading": pa.string(),
    "reference": pa.string(),
    "account": pa.string(),
    "payer": pa.string(),
    "asset": pa.string(),
    "amount_minor": pa.int64(),
    "balance_minor": pa.int64(),
    "product": pa.string(),
    "outcome": pa.string(),
    "confidence": pa.string(),
    "confirmed_at": pa.timestamp("us", tz="UTC"),
}
"""What is read from each message. `row_key` is its id; `reading` says whether its text could be read; `balance_minor` is what the
credited account has after it, where the message surely says that.
"""

_DEFAULT_KINDS: Final = ("airtime", "bundle")
_TOLD: Final = frozenset({"success", "reversed"})


def provider_of(feed: Feed) -> str:
    """Within whose messages a reference names one purchase: feeds of one provider share its references."""
    return feed.provider or feed.name


class Confirmations:
    """Reads the messages of one feed.

    A success is a confirmation, a reversal retracts one. Announcements, failures, other kinds of transaction, other
    people's messages and our own notices are out of scope. A message that names no account is about the payer's own.
    A reading of low confidence drops nothing: where it says that a message is none of these, a person looks at it.
    """

    suite = "confirmations"
    table = "confirmations"
    columns = COLUMNS
    moment = "confirmed_at"

    def __init__(self, feed: Feed, flow: Flow, catalogue: Catalogue, own_sender: str | None) -> None:
        self._feed = feed
        self._flow = flow
        self._provider = provider_of(feed)
        self._catalogue = catalogue
        self._zone = ZoneInfo(feed.zone)
        self._senders = listed_senders(feed)
        self._own_sender = own_sender.casefold() if own_sender else None
        self._kinds = frozenset(
            (*feed.kinds.get("purchase", _DEFAULT_KINDS), *feed.kinds.get("reversal", ("reversal",)))
        )

    def read(self, rows: Sequence[RawRow]) -> list[Draft]:
        drafts = [Draft.of(row, COLUMNS) for row in rows]
        readable = []
        for draft in drafts:
            if draft.row.problem:
                continue
            draft.out_of_scope = not self._concerns_us(draft.row)
            if not draft.out_of_scope:
                self._envelope(draft)
                readable.append(draft)
        readings = self._catalogue.read_batch([self._message(draft) for draft in readable])
        for draft, reading in zip(readable, readings, strict=True):
            self._content(draft, reading)
        return drafts

    def _concerns_us(self, row: RawRow) -> bool:
        sender = (row.cells.get("sender") or "").casefold()
        if self._senders and sender not in self._senders:
            return False
        return sender != self._own_sender or (sender in self._senders and not _names_a_case(row.cells["text"] or ""))

    def _envelope(self, draft: Draft) -> None:
        cells = draft.row.cells
        if cells["message_id"]:
            draft.attempt("row_key", read_key, cells["message_id"])
        if cells["recipient"]:
            draft.attempt("payer", read_account, cells["recipient"], self._feed.region)
        if cells["sent_at"]:
            draft.attempt("confirmed_at", read_moment, cells["sent_at"], self._zone, *self._feed.time_rule)

    def _message(self, draft: Draft) -> Message:
        cells = draft.row.cells
        return Message(
            id=cells["message_id"] or "",
            text=cells["text"] or "",
            sender=cells.get("sender"),
            country=self._feed.region,
            received_at=draft.found["confirmed_at"],
        )

    def _content(self, draft: Draft, reading: Reading) -> None:
        found = draft.found
        found["reading"] = reading.status
        tells = reading.outcome in _TOLD and reading.kind in self._kinds
        if reading.status != "parsed" or (reading.confidence == "low" and not tells):
            draft.out_of_scope = reading.status == "not_a_transaction"
            found["reading"] = "uncertain" if reading.status == "parsed" else reading.status
            found["account"] = found["payer"]  # whom to look for when somebody asks
            return
        draft.out_of_scope = not tells
        found["outcome"], found["product"], found["confidence"] = reading.outcome, reading.kind, reading.confidence
        found["reference"] = normalise_reference(reading.reference)
        if found["row_key"]:
            known_as = identity(self._provider, found["reference"], found["row_key"])
            found["id"] = confirmation_id(self._flow.name, known_as).hex
        if reading.account:
            draft.attempt("account", read_account, reading.account, self._feed.region)
        else:
            found["account"] = found["payer"]
        unit = draft.attempt("asset", read_asset, reading.currency) if reading.currency else None
        if unit is not None:
            found["asset"] = unit.code
            if reading.amount is not None:
                draft.attempt("amount_minor", read_minor, reading.amount, unit)
            found["balance_minor"] = _balance_after(found, reading, unit)


def _balance_after(found: Mapping[str, Any], reading: Reading, unit: Asset) -> int | None:
    """What the credited account has after a success, in minor units, where the message is sure to say that: evidence, no more."""
    if (reading.outcome, reading.confidence) != ("success", "high") or found["account"] != found["payer"]:
        return None
    if reading.running_balance is None:
        return None
    try:
        return read_minor(reading.running_balance, unit)
    except Unreadable:
        return None


def _names_a_case(text: str) -> bool:
    """Whether a case number of ours stands in the text, as it does in each of our notices."""
    words = (word.strip(".,;:()") for word in text.split())
    return any("-" in word and normalise_case_number(word) is not None for word in words)
