"""What the usual script would have done in the same world: merge on the reference, pay what is missing, retry.

Assumed, in its favour: it reads every message that has a known wording, waits ten minutes before it calls a purchase
missing, reads each export as it comes, pays the right amount to the right account, remembers what was acknowledged,
waits for slow and pending answers, and tells nobody anything. Assumed because such scripts are like that: it merges on
the reference alone, cannot tell a silent ledger from one that lost the money, and sends again with a fresh id whatever
was not acknowledged. The charging API treats it as it treats everybody: same kinds of fault, same probabilities.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from reconcile.sandbox.chatter import foreign_references
from reconcile.sandbox.fault import Fault, draw_fault
from reconcile.sandbox.ledger import Kind
from reconcile.sandbox.purchase import Purchase
from reconcile.sandbox.seeded import chance
from reconcile.sandbox.truth import Truth
from reconcile.sandbox.world import World

GRACE: Final = timedelta(minutes=10)
_NOT_ACKNOWLEDGED: Final = (Fault.REPLY_LOST, Fault.ERROR_AFTER_SUCCESS, Fault.REQUEST_LOST, Fault.DUPLICATE_400)


@dataclass(frozen=True, slots=True)
class NaiveOutcome:
    """Purchases that came out wrong, and how many credits it made in all."""

    paid_twice: int
    wrongly_paid: int
    landed_after_paid: int
    not_whole: int
    credits: int


def run_naive(world: World, truth: Truth, ticks: Sequence[datetime], rates: Mapping[str, float]) -> NaiveOutcome:
    """Play it over the exports so far; `truth` must know of no API credits, since it plays alone in this world."""
    seen_at = _seen_at(world, ticks)
    unread = frozenset(foreign_references(world.seed, world.purchases, world.fates))
    paid = {
        purchase.reference: list(_pay(world.seed, purchase, ticks, seen_at.get(purchase.reference), rates))
        for purchase in world.purchases
        if purchase.reference not in unread
    }
    wrong = landed = not_whole = 0
    for purchase in world.purchases:
        payments = paid.get(purchase.reference, [])
        if payments:
            was_there = truth.original_minor(purchase.reference, payments[0]) >= purchase.amount_minor
            wrong += was_there
            landed += not was_there and truth.is_whole(purchase)
        else:
            not_whole += truth.is_wronged(purchase) and not truth.is_whole(purchase)
    return NaiveOutcome(
        paid_twice=sum(len(payments) > 1 for payments in paid.values()),
        wrongly_paid=wrong,
        landed_after_paid=landed,
        not_whole=not_whole,
        credits=sum(len(payments) for payments in paid.values()),
    )


def _seen_at(world: World, ticks: Sequence[datetime]) -> dict[str, int]:
    """For each reference the number of the first export that shows it readably, on whatever account."""
    seen: dict[str, int] = {}
    for row in world.ledger:
        if row.reference is not None and row.kind is Kind.RECHARGE:
            shown = bisect_left(ticks, row.posted_at) + (row.unreadable is not None)
            seen[row.reference] = min(shown, seen.get(row.reference, shown))
    return seen


def _pay(
    seed: int, purchase: Purchase, ticks: Sequence[datetime], seen: int | None, rates: Mapping[str, float]
) -> Iterator[datetime]:
    """The instants at which it credits this purchase."""
    first = bisect_left(ticks, purchase.confirmed_at + GRACE)
    for number in range(first, len(ticks) if seen is None else min(seen, len(ticks))):
        fault = draw_fault(rates, chance(seed, "naive", purchase.reference, number))
        if fault is not Fault.REQUEST_LOST:
            yield ticks[number]
        if fault not in _NOT_ACKNOWLEDGED:
            return
