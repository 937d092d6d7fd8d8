"""What every part of housekeeping is given, and what it says that it did."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from reconcile.config import Retention
from reconcile.store.database import Database
from reconcile.store.lake import Lake
from reconcile.store.tables import holds

ROWS_AT_ONCE: Final = 5_000
FILES_AT_ONCE: Final = 500
"""What one transaction changes at most, so that none of them holds up a job."""


@dataclass(frozen=True, slots=True)
class House:
    """`now` is business time. `dry`: everything is only counted. `needed`: flow → URLs that its next fold may read.

    `needed_keys`: flow → paths, below the lake, of what its next fold reads of its key index.
    """

    database: Database
    lake: Lake
    retention: Retention
    now: datetime
    dry: bool
    needed: Callable[[str], frozenset[str]]
    needed_keys: Callable[[str], frozenset[str]]

    def has_hold(self) -> bool:
        """Whether a legal hold stands: whose rows a file holds is not known, so no file leaves for its age meanwhile."""
        with self.database.begin() as connection:
            return connection.execute(sa.select(holds.c.account).limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Swept:
    """What one part did, or would do: how many rows or files, and how many bytes become free."""

    what: str
    count: int
    size_bytes: int = 0
    note: str = ""


HELD: Final = "paused: a legal hold stands"
