"""What kind of transaction the words of a text speak of, and how it ended."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from reconcile.feeds.messages.vocabulary import DEEDS

if TYPE_CHECKING:
    from reconcile.feeds.messages.figures import Piece
    from reconcile.feeds.messages.reading import Outcome

_IN = frozenset({"received", "credited", "deposited"})
_VOLUMES = ("gb", "mb", "go", "mo", "kb")
_OUT = frozenset({"paid", "bought", "debited", "sent"})


@lru_cache(maxsize=4096)
def deeds_of(roles: frozenset[str]) -> frozenset[str]:
    """The deeds that words name, verbs and nouns alike."""
    return frozenset(deed for deed in DEEDS if deed in roles or f"{deed}_noun" in roles)


def outcome_of(pieces: list[Piece]) -> Outcome | None:
    """How it ended; None when no live word says that anything was done. Only what was surely done is `success`."""
    said = {role for piece in pieces if piece.role == "free" for role in piece.roles}
    if "reversal" in said or {"refund", "failed"} <= said:  # what failed and was given back
        return "reversed"
    if "refund" in said:
        return "success"
    if "failed" in said:
        return "failed"
    if "pending" in said:
        return "pending"
    return "success" if "done" in said or deeds_of(frozenset(said)) else None


def kind_of(pieces: list[Piece], amount: Piece | None, outcome: Outcome | None) -> str | None:
    """The kind by the words up to the sentence of the amount; what stands behind it is often an advertisement."""
    last = max((piece.sentence for piece in pieces), default=0) if amount is None else amount.sentence
    live = [piece for piece in pieces if piece.role not in {"note", "offer", "due"}]
    near = frozenset(role for piece in live if piece.sentence <= last for role in piece.roles)
    if any(piece.sort == "groups" for piece in live):
        return "bill"
    if any(piece.sort == "quantity" and piece.text.lower().endswith(_VOLUMES) for piece in live):
        near |= {"bundle"}
    if not deeds_of(near):
        near = frozenset(role for piece in live for role in piece.roles)
    everywhere = frozenset(role for piece in live for role in piece.roles)
    return _settled(near, everywhere, outcome) or _by_topic(near) or _by_deed(near, everywhere)


def _settled(near: frozenset[str], everywhere: frozenset[str], outcome: Outcome | None) -> str | None:
    if outcome == "reversed":
        return "reversal"
    if "refund" in near:
        return "refund"
    if "repayment" in everywhere:
        return "loan_repayment"
    if "interest" in near and deeds_of(near) & _IN:
        return "interest"
    if "loan" in near and not deeds_of(near) & {"paid", "bought", "withdrew"}:
        return "loan_disbursement"
    return None


def _by_topic(near: frozenset[str]) -> str | None:
    deeds = deeds_of(near)
    incoming = bool(deeds & _IN) and not deeds & {"paid", "bought"}
    if "bundle" in near and not incoming:
        return "bundle"
    if "airtime" in near or "recharged" in deeds:
        return "airtime"
    return None


def _by_deed(near: frozenset[str], everywhere: frozenset[str]) -> str | None:
    deeds = deeds_of(near)
    if "withdrew" in deeds:
        return "withdrawal"
    if "deposited" in deeds:
        return "deposit"
    if "received" in deeds:
        return "payment_received" if "received_payment" in near else "transfer"
    if "card" in near and deeds & _OUT:
        return "card_payment"
    if "bill" in near | everywhere and deeds & _OUT and "merchant" not in near:
        return "bill"
    if deeds & {"paid", "bought"}:
        return "payment"
    return "transfer" if deeds else None
