"""A purchase of units: what the customer was told, and when the credit should have landed."""

from dataclasses import dataclass
from datetime import datetime

from reconcile.sandbox.customer import Customer


@dataclass(frozen=True, slots=True)
class Purchase:
    """One confirmed purchase; `account` is who must be credited, `due_at` when an undisturbed credit lands."""

    reference: str
    payer: Customer
    account: str
    amount_minor: int
    confirmed_at: datetime
    due_at: datetime
    in_app: bool
