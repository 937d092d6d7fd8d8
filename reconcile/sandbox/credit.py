"""Credits asked for over the API: one per correlation id, for ever."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from reconcile.sandbox.database import Database, next_turn
from reconcile.sandbox.day import DAY_START
from reconcile.sandbox.instants import from_iso, to_iso
from reconcile.sandbox.ledger import Kind, LedgerRow
from reconcile.sandbox.seeded import chance

# A credit made while the clock stands at T is posted just after T, in the period of the next export.
AFTER_THE_TICK: Final = timedelta(seconds=1)
_ID_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class CreditRequest:
    """What a caller wants credited; `body_hash` tells an honest repetition from another wish under the same id."""

    correlation_id: str
    body_hash: str
    transaction_type: str
    account: str
    amount_minor: int
    original_reference: str | None
    requesting_reference: str | None
    callback_url: str | None


@dataclass(frozen=True, slots=True)
class Credit:
    """One credit; `posted_at` and `turn` are None until it takes effect."""

    request: CreditRequest
    server_id: str
    transaction_reference: str
    polls_left: int
    posted_at: datetime | None
    turn: int | None

    @property
    def status(self) -> str:
        """`pending` or `completed`."""
        return "pending" if self.posted_at is None else "completed"

    @property
    def stood_at(self) -> datetime:
        """Where the clock stood when it took effect: what the books said then is what could be known."""
        assert self.posted_at is not None, "a pending credit has no instant"
        return self.posted_at - AFTER_THE_TICK

    def to_ledger_row(self) -> LedgerRow:
        """How the ledger shows it: under the caller's id, without the reference of what it makes good."""
        assert self.posted_at is not None, "a pending credit is not on the ledger"
        return LedgerRow(
            entry_id=f"E-{self.transaction_reference}",
            kind=Kind.RECHARGE,
            account=self.request.account,
            amount_minor=self.request.amount_minor,
            posted_at=self.posted_at,
            external_id=self.request.correlation_id,
        )


class CreditStore:
    """The durable credits."""

    def __init__(self, database: Database, seed: int) -> None:
        """Keep them in `database`; `seed` makes the ids that are handed out."""
        self._database = database
        self._seed = seed

    def count_try(self, correlation_id: str) -> int:
        """Count one more submission of this id, durably; 1 for the first."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO submission VALUES (?, 1)"
                " ON CONFLICT (correlation_id) DO UPDATE SET tries = tries + 1 RETURNING tries",
                (correlation_id,),
            ).fetchone()
        return int(row[0])

    def make(self, request: CreditRequest, *, polls_until_done: int) -> Credit:
        """Credit at once, or once polled so often; the caller has seen that the id is new."""
        suffix = "".join(
            f"{int(chance(self._seed, 'id', request.correlation_id, n) * 16):x}" for n in range(_ID_DIGITS)
        )
        with self._database.transaction() as connection:
            number = connection.execute("SELECT coalesce(max(rowid), 0) + 1 FROM credit").fetchone()[0]
            connection.execute(
                "INSERT INTO credit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                (
                    request.correlation_id,
                    f"SRV-{suffix}",
                    f"AJ{DAY_START:%y%m%d}.{number:06d}",
                    request.body_hash,
                    request.transaction_type,
                    request.account,
                    request.amount_minor,
                    request.original_reference,
                    request.requesting_reference,
                    request.callback_url,
                    polls_until_done,
                ),
            )
            if polls_until_done == 0:
                _take_effect(connection, request.correlation_id)
        credit = self.find(request.correlation_id)
        assert credit is not None, "it was written just now"
        return credit

    def find(self, correlation_id: str) -> Credit | None:
        """By the caller's id."""
        return self._one("SELECT * FROM credit WHERE correlation_id = ?", correlation_id)

    def poll_by_server_id(self, server_id: str) -> Credit | None:
        """By the operator's id of the request; asking brings a pending credit nearer to its end."""
        return self._polled(self._one("SELECT * FROM credit WHERE server_id = ?", server_id))

    def poll_by_reference(self, transaction_reference: str) -> Credit | None:
        """By the transaction's reference; asking brings a pending credit nearer to its end."""
        return self._polled(self._one("SELECT * FROM credit WHERE transaction_reference = ?", transaction_reference))

    def posted(self, after: datetime | None, through: datetime) -> list[Credit]:
        """Those that took effect in (after, through], in order."""
        floor = "" if after is None else to_iso(after)
        rows = self._database.rows(
            "SELECT * FROM credit WHERE posted_at > ? AND posted_at <= ? ORDER BY turn", floor, to_iso(through)
        )
        return _credits(rows)

    def effective(self) -> list[Credit]:
        """All that took effect so far, in order."""
        return _credits(self._database.rows("SELECT * FROM credit WHERE turn IS NOT NULL ORDER BY turn"))

    def _polled(self, credit: Credit | None) -> Credit | None:
        if credit is None or credit.posted_at is not None:
            return credit
        correlation_id = credit.request.correlation_id
        with self._database.transaction() as connection:
            left = connection.execute(
                "UPDATE credit SET polls_left = polls_left - 1 WHERE correlation_id = ? RETURNING polls_left",
                (correlation_id,),
            ).fetchone()[0]
            if left <= 0:
                _take_effect(connection, correlation_id)
        return self.find(correlation_id)

    def _one(self, query: str, key: str) -> Credit | None:
        row = self._database.row(query, key)
        return None if row is None else _credit(row)


def complete_pending(connection: sqlite3.Connection) -> None:
    """Whatever is pending takes effect now; part of closing an export."""
    pending = connection.execute("SELECT correlation_id FROM credit WHERE turn IS NULL ORDER BY rowid").fetchall()
    for row in pending:
        _take_effect(connection, row["correlation_id"])


def _take_effect(connection: sqlite3.Connection, correlation_id: str) -> None:
    # The last closed export decides, not the clock's hand: a file that is being written is closed already.
    closed = connection.execute("SELECT max(instant) FROM tick").fetchone()[0]
    posted_at = (DAY_START if closed is None else from_iso(closed)) + AFTER_THE_TICK
    connection.execute(
        "UPDATE credit SET posted_at = ?, turn = ? WHERE correlation_id = ? AND turn IS NULL",
        (to_iso(posted_at), next_turn(connection), correlation_id),
    )


def _credits(rows: Iterable[sqlite3.Row]) -> list[Credit]:
    return [_credit(row) for row in rows]


def _credit(row: sqlite3.Row) -> Credit:
    return Credit(
        request=CreditRequest(
            correlation_id=row["correlation_id"],
            body_hash=row["body_hash"],
            transaction_type=row["transaction_type"],
            account=row["account"],
            amount_minor=row["amount_minor"],
            original_reference=row["original_reference"],
            requesting_reference=row["requesting_reference"],
            callback_url=row["callback_url"],
        ),
        server_id=row["server_id"],
        transaction_reference=row["transaction_reference"],
        polls_left=row["polls_left"],
        posted_at=None if row["posted_at"] is None else from_iso(row["posted_at"]),
        turn=row["turn"],
    )
