"""The whole day of the sandbox, made from a seed and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconcile.sandbox.chatter import chat
from reconcile.sandbox.customer import Customer, make_customers
from reconcile.sandbox.fate import Fate, draw_fates
from reconcile.sandbox.ledger import LedgerRow, post_day
from reconcile.sandbox.message import Message
from reconcile.sandbox.purchase import Purchase
from reconcile.sandbox.shopping import go_shopping

PURCHASES_MIN: Final = 100
PURCHASES_MAX: Final = 99_999
_CUSTOMERS_PER_PURCHASE: Final = 0.55


@dataclass(frozen=True, slots=True)
class World:
    """Everything that happens on the day by itself; each sequence is in order of time."""

    seed: int
    customers: tuple[Customer, ...]
    purchases: tuple[Purchase, ...]
    fates: Mapping[str, Fate]
    messages: tuple[Message, ...]
    ledger: tuple[LedgerRow, ...]


def make_world(seed: int, purchases: int) -> World:
    """The world of this seed; raises ValueError when the number of purchases is out of range."""
    if not PURCHASES_MIN <= purchases <= PURCHASES_MAX:
        raise ValueError(f"{purchases} purchases: the sandbox day takes from {PURCHASES_MIN} to {PURCHASES_MAX}")
    customers = make_customers(seed, round(purchases * _CUSTOMERS_PER_PURCHASE))
    bought = go_shopping(seed, customers, purchases)
    fates = draw_fates(seed, bought)
    return World(
        seed=seed,
        customers=customers,
        purchases=bought,
        fates=fates,
        messages=chat(seed, customers, bought, fates),
        ledger=post_day(seed, customers, bought, fates),
    )
