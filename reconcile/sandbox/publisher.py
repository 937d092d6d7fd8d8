"""Moving the clock: close the export, write its files, then stand at the new instant; each step may be repeated."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from reconcile.sandbox.clock import Clock
from reconcile.sandbox.credit import CreditStore, complete_pending
from reconcile.sandbox.database import Database
from reconcile.sandbox.day import CLOCK_END, DAY_START
from reconcile.sandbox.export import Export, export_control, export_directory, export_ledger, export_messages
from reconcile.sandbox.files import publish_file
from reconcile.sandbox.instants import from_iso, to_iso, to_stamp
from reconcile.sandbox.ledger import LedgerRow
from reconcile.sandbox.message import Message
from reconcile.sandbox.world import World

_Item = TypeVar("_Item", Message, LedgerRow)

_FEEDS: Final = ("smsc", "ocs", "directory")


@dataclass(frozen=True, slots=True)
class _Period:
    """One export covers (after, through]; `before` is where the export before it began."""

    before: datetime | None
    after: datetime | None
    through: datetime


class Publisher:
    """Owns the clock and the feed files of one home."""

    def __init__(self, home: Path, world: World, database: Database, credit_store: CreditStore) -> None:
        """Stand where the last run stood; call `recover` before serving."""
        self._inbox = home / "inbox"
        for feed in _FEEDS:
            (self._inbox / feed).mkdir(parents=True, exist_ok=True)
        self._world = world
        self._message_instants = [message.sent_at for message in world.messages]
        self._ledger_instants = [row.posted_at for row in world.ledger]
        self._database = database
        self._credits = credit_store
        self._moving = asyncio.Lock()
        done = database.row("SELECT max(instant) AS instant FROM tick WHERE is_done")
        assert done is not None, "an aggregate has a row"
        self.clock = Clock(home / "clock", DAY_START if done["instant"] is None else from_iso(done["instant"]))

    async def recover(self) -> None:
        """Finish the advance in which the last run was killed, if it was."""
        open_tick = self._database.row("SELECT instant FROM tick WHERE NOT is_done")
        if open_tick is not None:
            await self.advance(from_iso(open_tick["instant"]))

    async def advance(self, to: datetime) -> None:
        """Write every feed through `to`, then move the clock; standing there already changes nothing.

        Raises ValueError when `to` lies in the past or too far ahead.
        """
        async with self._moving:
            if to > CLOCK_END:
                raise ValueError(f"the sandbox ends at {to_iso(CLOCK_END)}")
            if to > self.clock.now():
                period = self._close(to)
                ledger = self._ledger_export(period)
                await asyncio.to_thread(self._publish, period, ledger)
            self.clock.move(to)
            with self._database.transaction() as connection:
                connection.execute("UPDATE tick SET is_done = 1 WHERE instant = ?", (to_iso(to),))

    def ticks(self) -> list[datetime]:
        """The instants to which the clock was moved, in order."""
        return [from_iso(row["instant"]) for row in self._database.rows("SELECT instant FROM tick ORDER BY number")]

    def _close(self, to: datetime) -> _Period:
        """From here on API credits belong to the export after this one, whatever happens to this process."""
        instant = to_iso(to)
        with self._database.transaction() as connection:
            known = connection.execute("SELECT 1 FROM tick WHERE instant = ?", (instant,)).fetchone()
            if known is None:
                complete_pending(connection)
                connection.execute("INSERT INTO tick (instant) VALUES (?)", (instant,))
        before, after = ([None, None, *self.ticks()[:-1]])[-2:]
        return _Period(before=before, after=after, through=to)

    def _ledger_export(self, period: _Period) -> Export:
        fresh = [
            *_between(self._world.ledger, self._ledger_instants, period.after, period.through),
            *(credit.to_ledger_row() for credit in self._credits.posted(period.after, period.through)),
        ]
        fresh.sort(key=lambda row: (row.posted_at, row.entry_id))
        return export_ledger(fresh, issued_again=self._unreadable_before(period))

    def _unreadable_before(self, period: _Period) -> list[LedgerRow]:
        if period.after is None:
            return []
        shown = _between(self._world.ledger, self._ledger_instants, period.before, period.after)
        return [row for row in shown if row.unreadable is not None]

    def _publish(self, period: _Period, ledger: Export) -> None:
        messages = _between(self._world.messages, self._message_instants, period.after, period.through)
        self._publish_pair("smsc", "jsonl.gz", export_messages(messages), period.through)
        self._publish_pair("ocs", "csv", ledger, period.through)
        if period.after is None:
            self._publish_pair("directory", "csv", export_directory(self._world.customers), period.through)

    def _publish_pair(self, feed: str, suffix: str, export: Export, through: datetime) -> None:
        path = self._inbox / feed / f"{to_stamp(through)}.{suffix}"
        publish_file(path, export.content)
        publish_file(path.with_name(f"{path.name}.ctl"), export_control(path.name, export, through))


def _between(
    items: Sequence[_Item], instants: Sequence[datetime], after: datetime | None, through: datetime
) -> Sequence[_Item]:
    start = 0 if after is None else bisect_right(instants, after)
    return items[start : bisect_right(instants, through)]
