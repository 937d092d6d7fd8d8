"""Double entry of our own money: budget → reserve → suspense → paid, or back to budget. Rows are only ever added."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.domain import ids
from reconcile.store.tables import postings

STEPS: Final = {
    "reserve": ("budget", "reserve"),
    "send": ("reserve", "suspense"),
    "pay": ("suspense", "paid"),
    "return": ("suspense", "budget"),
}


def post(
    connection: sa.Connection,
    *,
    steps: Sequence[str],
    attempt_id: UUID,
    intent_id: UUID,
    asset: str,
    amount_minor: int,
    at: datetime,
) -> None:
    """Books steps of one attempt; the ids make a second booking of the same step impossible and harmless."""
    rows = [
        {
            "posting_id": ids.derive("posting", str(attempt_id), step),
            "intent_id": intent_id,
            "debit": STEPS[step][0],
            "credit": STEPS[step][1],
            "asset": asset,
            "amount_minor": amount_minor,
            "at": at,
        }
        for step in steps
    ]
    connection.execute(insert(postings).values(rows).on_conflict_do_nothing())


def balances(connection: sa.Connection) -> dict[tuple[str, str], int]:
    """(account, asset) → balance in minor units; over all accounts of an asset they sum to zero."""
    debits = sa.select(postings.c.debit.label("account"), postings.c.asset, (-postings.c.amount_minor).label("minor"))
    credits_ = sa.select(postings.c.credit.label("account"), postings.c.asset, postings.c.amount_minor.label("minor"))
    moves = sa.union_all(debits, credits_).subquery()
    query = sa.select(moves.c.account, moves.c.asset, sa.func.sum(moves.c.minor)).group_by(
        moves.c.account, moves.c.asset
    )
    return {(account, asset): int(minor) for account, asset, minor in connection.execute(query)}
