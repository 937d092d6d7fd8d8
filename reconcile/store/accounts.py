"""Customers' numbers where the number itself must not be kept: keyed hashes, pseudonyms, and who is never told anything."""

import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.store import instance
from reconcile.store.tables import suppressions

_SECRET: Final = "account-hash-secret"  # noqa: S105 - the name of a secret, not the secret
ERASED: Final = "erased:"
"""What stands before the pseudonym of an erased number; no number begins like that."""


def hashed(connection: sa.Connection, account: str) -> str:
    """The number's hash under this installation's key: the same number gives the same, and nobody else can compute it."""
    return _hash(instance.secret(connection, _SECRET), account)


def pseudonym(connection: sa.Connection, account: str) -> str:
    """What stands in the place of an erased number: rows of one customer stay rows of one customer."""
    return f"{ERASED}{hashed(connection, account)[:16]}"


def suppress(connection: sa.Connection, account: str, *, reason: str, now: datetime) -> None:
    """From now on nothing is sent to this number, whatever a directory feed says."""
    row = insert(suppressions).values(account_hash=hashed(connection, account), reason=reason, since=now)
    connection.execute(row.on_conflict_do_nothing())


def suppressed(connection: sa.Connection, accounts: Collection[str]) -> frozenset[str]:
    """Those of the numbers to which nothing may be sent."""
    if not accounts or connection.execute(sa.select(suppressions.c.account_hash).limit(1)).first() is None:
        return frozenset()
    key = instance.secret(connection, _SECRET)
    by_hash = {_hash(key, account): account for account in accounts}
    query = sa.select(suppressions.c.account_hash).where(suppressions.c.account_hash.in_(by_hash))
    return frozenset(by_hash[found] for found in connection.execute(query).scalars())


def _hash(key: bytes, account: str) -> str:
    return hmac.new(key, account.encode(), hashlib.sha256).hexdigest()[:32]
