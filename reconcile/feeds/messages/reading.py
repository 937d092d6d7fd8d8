"""What goes into the parser and what comes out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

Status = Literal["parsed", "ambiguous", "unparsed", "not_a_transaction"]
Outcome = Literal["success", "pending", "failed", "reversed"]
Confidence = Literal["high", "low"]

KINDS = frozenset(
    {
        "airtime",
        "bundle",
        "transfer",
        "payment",
        "payment_received",
        "card_payment",
        "bill",
        "deposit",
        "withdrawal",
        "loan_disbursement",
        "loan_repayment",
        "interest",
        "refund",
        "reversal",
        "balance_inquiry",
    }
)
OUTCOMES = frozenset({"success", "pending", "failed", "reversed"})


# Named tuples: making one costs a quarter of what a frozen dataclass does, and each message needs both.
class Message(NamedTuple):
    """One text as it reached a customer, with what the sender's system knows of it.

    `country` is ISO 3166 alpha-2; `received_at` is aware. Only `id` and `text` are always there.
    """

    id: str
    text: str
    sender: str | None = None
    country: str | None = None
    received_at: datetime | None = None


class Reading(NamedTuple):
    """What one message says. Amounts are decimals in major units; a field that the text does not state is None.

    `account` is whom the text says was credited, `payer` whom it says the money came from, both as written.
    `occurred_at` is aware and evidence only: a confirmation counts from when it was sent, not from what it says.
    `running_balance` is the balance where it is surely that of the credited account, in the currency of the amount.
    `alternatives` holds the readings of an `ambiguous` message; none of them is chosen.
    """

    status: Status
    template: str | None = None
    kind: str | None = None
    outcome: Outcome | None = None
    amount: Decimal | None = None
    currency: str | None = None
    fee: Decimal | None = None
    balance: Decimal | None = None
    reference: str | None = None
    account: str | None = None
    payer: str | None = None
    occurred_at: datetime | None = None
    confidence: Confidence | None = None
    alternatives: tuple[Reading, ...] = ()
    running_balance: Decimal | None = None


UNPARSED = Reading("unparsed")
_SHARED = ("template", "kind", "outcome", "currency", "fee", "balance", "reference", "account", "payer", "occurred_at")


def ambiguous(readings: tuple[Reading, ...]) -> Reading:
    """Several readings of one text: what they share is stated, an amount never is, and all are kept."""
    first, *others = readings
    shared = {
        name: value
        for name in _SHARED
        if (value := getattr(first, name)) is not None and all(getattr(other, name) == value for other in others)
    }
    return Reading("ambiguous", **shared, alternatives=readings)
