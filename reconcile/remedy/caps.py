"""Budgets that hold under concurrency: reserved before a send, given back only when a send is proven to have failed."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.remedy.modes import Limits
from reconcile.store.tables import budgets


@dataclass(frozen=True, slots=True)
class Cap:
    """One budget: what it counts for (`scope`), over which `window`, and how much may be used in all."""

    scope: str
    window: str
    limit_minor: int


def caps_of(*, flow: str, account: str, limits: Limits, at: datetime, secret: bytes) -> list[Cap]:
    """The budgets that one remedy uses, in the order in which they are locked."""
    customer = hmac.new(secret, f"{flow}/{account}".encode(), hashlib.sha256).hexdigest()[:32]
    day, hour = f"day:{at:%Y-%m-%d}", f"hour:{at:%Y-%m-%dT%H}"
    return [
        Cap(f"flow:{flow}", day, limits.max_per_day_minor),
        Cap(f"flow:{flow}", hour, limits.max_per_hour_minor),
        Cap(f"customer:{customer}", day, limits.max_per_customer_day_minor),
    ]


def reserve(connection: sa.Connection, caps: list[Cap], *, asset: str, amount_minor: int) -> Cap | None:
    """Uses up `amount_minor` of every cap, or names the first that has not enough left (the caller then rolls back).

    The row lock of the upsert makes concurrent reservations take turns: none can see room that another has taken.
    """
    for cap in caps:
        if amount_minor > cap.limit_minor:
            return cap
        row = insert(budgets).values(
            scope=cap.scope, window=cap.window, asset=asset, used_count=1, used_minor=amount_minor
        )
        used = connection.execute(
            row.on_conflict_do_update(
                index_elements=["scope", "window", "asset"],
                set_={
                    "used_count": budgets.c.used_count + 1,
                    "used_minor": budgets.c.used_minor + row.excluded.used_minor,
                },
                where=budgets.c.used_minor + row.excluded.used_minor <= cap.limit_minor,
            )
        )
        if used.rowcount == 0:
            return cap
    return None


def release(connection: sa.Connection, caps: list[Cap], *, asset: str, amount_minor: int) -> None:
    """Gives back what a send that is proven to have failed had used."""
    for cap in caps:
        connection.execute(
            sa.update(budgets)
            .where(budgets.c.scope == cap.scope, budgets.c.window == cap.window, budgets.c.asset == asset)
            .values(used_count=budgets.c.used_count - 1, used_minor=budgets.c.used_minor - amount_minor)
        )
