"""What ledger rows and payments have in common: each is a movement of one kind and of one signed amount."""

from typing import Literal

from reconcile.config import Feed, Flow
from reconcile.feeds.draft import Draft
from reconcile.feeds.values import Unreadable, read_amount, read_asset, read_minor


class Movement:
    """Reads kind and amount of the rows of one feed. `forward`: what a movement is called that no kind calls a reversal.

    A reversal is negative, whatever sign it was delivered with.
    """

    def __init__(self, feed: Feed, flow: Flow, forward: Literal["purchase", "payment"]) -> None:
        self._feed = feed
        self._unit = flow.unit
        self._forward = forward
        self._kinds = {word: kind for kind, words in feed.kinds.items() for word in words}

    def read(self, draft: Draft) -> None:
        """Puts `kind`, `asset` and `amount_minor` into the draft, as far as they can be read."""
        self._kind(draft)
        self._amount(draft)

    def _kind(self, draft: Draft) -> None:
        """What is ours, its reversals, and what the operator holds back are in scope. A kind of no name might be any of them,
        so it is not passed over.
        """
        if not self._kinds:
            return
        word = draft.row.cells.get("kind")
        kind = self._kinds.get(word or "")
        if kind in {self._forward, "reversal", "held"}:
            draft.found["kind"] = kind
        elif word is None:
            draft.problems["kind"] = f"says neither {self._forward} nor reversal"
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
            draft.delivered = read_amount(cells["amount"], self._feed.decimal, self._feed.thousands)
            amount_minor = read_minor(draft.delivered.scaleb(-self._feed.implied_decimals), unit)
        except Unreadable as error:
            draft.problems["amount_minor"] = str(error)
            return
        if not self._kinds:
            draft.found["kind"] = "reversal" if amount_minor < 0 else self._forward
        draft.found["amount_minor"] = -abs(amount_minor) if draft.found["kind"] == "reversal" else amount_minor
