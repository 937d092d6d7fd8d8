"""What really happened to each purchase: the originals that landed, and the credits made over the API."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from reconcile.sandbox.credit import Credit
from reconcile.sandbox.day import WRONGED_AFTER
from reconcile.sandbox.ledger import Kind, LedgerRow
from reconcile.sandbox.purchase import Purchase
from reconcile.sandbox.world import World


class Standing(StrEnum):
    """How an API credit stands to what was owed when it took effect."""

    RIGHTFUL = "rightful"
    AGAIN = "again"  # the purchase had been re-credited before
    WRONG = "wrong"  # nothing was owed, or not this amount, or not to this account


class Truth:
    """Every question has one answer as of the instant `now`; money in minor units."""

    def __init__(self, world: World, credits_made: Sequence[Credit], now: datetime) -> None:
        """Judge by the world's own ledger and the effective credits, in the order in which they took effect."""
        self.now = now
        self.purchases = {purchase.reference: purchase for purchase in world.purchases}
        self._originals: dict[str, list[LedgerRow]] = defaultdict(list)
        for row in world.ledger:
            if row.purchase is not None and row.account == self.purchases[row.purchase].account:
                self._originals[row.purchase].append(row)
        self.standings: list[tuple[Credit, Standing]] = []
        self._ours: dict[str, list[Credit]] = defaultdict(list)
        for credit in credits_made:
            standing = self._standing(credit)
            self.standings.append((credit, standing))
            if standing is not Standing.WRONG or self._reaches_account(credit):
                self._ours[credit.request.original_reference or ""].append(credit)

    def original_minor(self, reference: str, at: datetime) -> int:
        """Net of the operator's own movements for it on the right account, in the books at that instant."""
        rows = self._originals.get(reference, ())
        return sum(row.amount_minor for row in rows if row.posted_at <= at)

    def ours(self, reference: str) -> Sequence[Credit]:
        """Effective API credits for it that reached the right account, in order."""
        return self._ours.get(reference, ())

    def held_minor(self, reference: str, at: datetime) -> int:
        """All that reached the right account for it by that instant."""
        ours = sum(
            c.request.amount_minor for c in self.ours(reference) if c.posted_at is not None and c.posted_at <= at
        )
        return self.original_minor(reference, at) + ours

    def is_wronged(self, purchase: Purchase) -> bool:
        """Whether its time was up by now and the units were not there when it was."""
        deadline = purchase.confirmed_at + WRONGED_AFTER
        return deadline <= self.now and self.held_minor(purchase.reference, deadline) < purchase.amount_minor

    def is_whole(self, purchase: Purchase) -> bool:
        """Whether the right account holds at least what was promised; more than that is counted apart, by cause."""
        return self.whole_at(purchase) is not None

    def whole_at(self, purchase: Purchase) -> datetime | None:
        """When the account first held what was promised, if it still does."""
        # Our latest credits are posted just after `now`: they are in the books all the same.
        ours_minor = sum(credit.request.amount_minor for credit in self.ours(purchase.reference))
        if self.original_minor(purchase.reference, self.now) + ours_minor < purchase.amount_minor:
            return None
        instants = self.posted_instants(purchase.reference)
        return next(at for at in instants if self.held_minor(purchase.reference, at) >= purchase.amount_minor)

    def posted_instants(self, reference: str) -> list[datetime]:
        """When anything was posted for it on the right account, by whomever, in order."""
        ours = [credit.posted_at for credit in self.ours(reference) if credit.posted_at is not None]
        return sorted([*(row.posted_at for row in self._originals.get(reference, ())), *ours])

    def landed_at(self, reference: str) -> datetime | None:
        """When the first original landed on the right account, if it has by now."""
        landed = (row.posted_at for row in self._originals.get(reference, ()) if row.kind is Kind.RECHARGE)
        return next((at for at in landed if at <= self.now), None)

    def _standing(self, credit: Credit) -> Standing:
        reference = credit.request.original_reference or ""
        if not self._reaches_account(credit):
            return Standing.WRONG
        if self._ours[reference]:
            return Standing.AGAIN
        owed_minor = self.purchases[reference].amount_minor - self.original_minor(reference, credit.stood_at)
        return Standing.RIGHTFUL if credit.request.amount_minor == owed_minor else Standing.WRONG

    def _reaches_account(self, credit: Credit) -> bool:
        purchase = self.purchases.get(credit.request.original_reference or "")
        return purchase is not None and purchase.account == credit.request.account
