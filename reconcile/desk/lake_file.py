"""Purchases and ledger entries as they lie in the lake, for whatever never became a case. Every answer is bounded."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from reconcile.jobs.world import World
from reconcile.reports.lake_rows import files_of, lake_rows, match_files

PURCHASES_MAX: Final = 50
ENTRIES_MAX: Final = 50
NEAR_BEFORE: Final = timedelta(hours=1)
NEAR_AFTER: Final = timedelta(hours=72)
"""How far around a purchase the ledger is searched: as far as an unclaimed entry blocks automatic money."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """One confirmation as it was published."""

    confirmation_id: UUID
    message_id: str
    provider: str
    match_key: UUID | None
    account_key: UUID
    reference: str | None
    account: str
    payer: str | None
    asset: str
    amount_minor: int
    product: str | None
    outcome: str
    confidence: str
    confirmed_at: datetime
    batch_id: UUID
    feed: str
    row_number: int
    flow: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One ledger entry near a purchase. `tie`: `own`, `reference`, `account` (same account, in time).

    `found_by`: the pass that matched it with this purchase, or None.
    """

    entry_id: UUID
    reference: str | None
    account: str
    asset: str
    amount_minor: int
    kind: str
    own_key: str | None
    posted_at: datetime
    feed: str
    row_number: int
    tie: str
    found_by: str | None = None


def purchase(world: World, confirmation_id: UUID) -> Purchase | None:
    """The newest published version of one confirmation, or None."""
    found = _purchases(world, confirmation_id=str(confirmation_id))
    return found[0] if found else None


def purchases_of_account(world: World, account: str) -> list[Purchase]:
    """What was bought for, or by, this number: the newest first."""
    return _purchases(world, account=account)


def purchases_by_reference(world: World, reference: str) -> list[Purchase]:
    """What was bought under this receipt, whichever flow it is of."""
    return _purchases(world, reference=reference)


def entries_of(world: World, bought: Purchase) -> list[Entry]:
    """The entries that share the purchase's reference, and those on its account around its time; the oldest first."""
    with world.database.begin() as connection:
        runs = match_files(connection, world.lake, flow=bought.flow)
    matches = lake_rows(world.lake, "matches", runs, confirmation_id=str(bought.confirmation_id))
    found_by = {row["entry_id"]: row["pass"] for row in matches}
    around = entries_around(
        world, flow=bought.flow, account=bought.account, reference=bought.reference, at=bought.confirmed_at
    )
    return [replace(entry, found_by=found_by.get(entry.entry_id)) for entry in around]


def entries_around(world: World, *, flow: str, account: str, reference: str | None, at: datetime) -> list[Entry]:
    """The entries with that reference, and those on that account around that time; the oldest first."""
    with world.database.begin() as connection:
        files = files_of(connection, world.lake, flow=flow, side="ledger")
    rows = lake_rows(
        world.lake,
        "entries",
        files,
        reference=reference,
        account=account,
        begin=at - NEAR_BEFORE,
        until=at + NEAR_AFTER,
        rows_max=ENTRIES_MAX,
    )
    return [Entry(**row) for row in rows]


def _purchases(
    world: World, *, confirmation_id: str | None = None, account: str | None = None, reference: str | None = None
) -> list[Purchase]:
    found: list[Purchase] = []
    for flow in world.configuration.flows:
        with world.database.begin() as connection:
            files = files_of(connection, world.lake, flow=flow.name, side="confirmation")
        rows = lake_rows(
            world.lake,
            "purchases",
            files,
            confirmation_id=confirmation_id,
            account=account,
            reference=reference,
            rows_max=PURCHASES_MAX,
        )
        found += [Purchase(**row, flow=flow.name) for row in rows]
    return sorted(found, key=lambda one: one.confirmed_at, reverse=True)[:PURCHASES_MAX]
