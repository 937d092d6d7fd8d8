"""The job that tells customers: receipts first, then what is planned, each at most once."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import sqlalchemy as sa

from reconcile.jobs.world import World
from reconcile.notices import receipts
from reconcile.notices.claiming import Place, Ready, claim, waiting
from reconcile.notices.mail import MailLink
from reconcile.notices.outcome import ChannelDownError, Outcome
from reconcile.notices.planning import Channel
from reconcile.notices.recording import fall_back, give_up_channel, record
from reconcile.notices.sender import only_sender, recover
from reconcile.notices.sms import SmsLink

CLAIMED_AT_ONCE: Final = 100
"""Notices between two commits. Whoever is killed in between leaves at most so many uncertain, which are not sent again."""
LINKS_MAX: Final = 3
"""How many links to one channel a run opens, one after another, when they break."""
RECEIPTS_SECONDS: Final = 3.0
"""For how long receipts are taken, once before sending and once after. The SMSC keeps what comes later for the next run."""
QUIET_BEFORE_SECONDS: Final = 0.1
QUIET_AFTER_SECONDS: Final = 0.4
"""A silence of this length ends it sooner."""


class _Link(Protocol):
    @property
    def lost(self) -> bool: ...

    @property
    def usable(self) -> bool: ...

    def send(self, notices: Sequence[Ready]) -> list[Outcome]: ...


_Opening = Callable[[], AbstractContextManager[_Link]]


def send_notices(world: World) -> dict[str, int]:
    """Sends what is planned and may still be said; returns counts such as `credited.sms.submitted`.

    Waits for another sender to finish (`SenderBusyError`). A channel that is down does not hold up the other one; what was
    planned for it stays planned, and the job ends with `ChannelDownError`.
    """
    with world.job("send_notices") as run, only_sender(world.database):
        run.counts.update(_Sending(world, run.now).run())
    return dict(run.counts)


class _Sending:
    """One run of the job, by the one sender."""

    def __init__(self, world: World, now: datetime) -> None:
        self._database = world.database
        self._configuration = world.configuration
        self._flows = {flow.name: flow for flow in world.configuration.flows}
        self._now = now
        self._counts: Counter[str] = Counter()

    def run(self) -> Counter[str]:
        with self._database.begin() as connection:
            if lost := recover(connection):
                self._counts["uncertain"] += lost
        down = [error for channel in (self._sms, self._email) if (error := _tried(channel)) is not None]
        if down:
            raise ChannelDownError("; ".join(str(error) for error in down)) from down[0]
        return self._counts

    def _sms(self) -> None:
        settings = self._configuration.sms
        with self._database.begin() as connection:
            planned = "sms" in waiting(connection)
            awaited = receipts.awaited(connection, self._now)
        if settings is None:
            self._give_up("sms", planned=planned)
        elif planned or awaited:
            self._through(lambda: SmsLink.open(settings), "sms", planned=planned)

    def _email(self) -> None:
        settings = self._configuration.email
        with self._database.begin() as connection:
            planned = "email" in waiting(connection)
        if settings is None:
            self._give_up("email", planned=planned)
        elif planned:
            self._through(lambda: MailLink.open(settings, now=self._now), "email", planned=True)

    def _through(self, opening: _Opening, channel: Channel, *, planned: bool) -> None:
        """Takes receipts, sends what is planned, takes receipts. A link that breaks is replaced by another one."""
        after: Place | None = None
        for _ in range(LINKS_MAX):
            with opening() as link:
                self._await_receipts(link, QUIET_BEFORE_SECONDS)
                if planned:
                    after = self._send(link, channel, after)
                    self._await_receipts(link, QUIET_AFTER_SECONDS)
                if not link.lost:  # asked before the goodbye, after which every link is
                    return

    def _send(self, link: _Link, channel: Channel, after: Place | None) -> Place | None:
        """Page by page: claim, commit, send, record. Returns where another link goes on when this one broke."""
        while link.usable:
            with self._database.begin() as connection:
                page = claim(
                    connection, channel=channel, now=self._now, flows=self._flows, limit=CLAIMED_AT_ONCE, after=after
                )
            outcomes = link.send(page.ready)
            with self._database.begin() as connection:
                recorded = record(connection, list(zip(page.ready, outcomes, strict=True)), now=self._now)
                self._fall_back(connection, recorded.failed)
            self._counts.update(page.counts + recorded.counts)
            self._take_receipts(link)
            if link.lost or page.after is None:
                break
            after = page.after
        return after

    def _await_receipts(self, link: _Link, quiet_seconds: float) -> None:
        """Takes receipts until none is awaited, it has been quiet for so long, or the time is up."""
        if not isinstance(link, SmsLink):
            return
        with self._database.begin() as connection:
            awaited = receipts.awaited(connection, self._now)
        deadline = time.monotonic() + RECEIPTS_SECONDS
        while awaited > 0 and time.monotonic() < deadline and link.listen(quiet_seconds):
            awaited -= self._take_receipts(link)

    def _take_receipts(self, link: _Link) -> int:
        """Makes the receipts that have come durable, then acknowledges them; returns how many notices they ended."""
        if not isinstance(link, SmsLink) or not link.received:
            return 0
        with self._database.begin() as connection:
            applied = receipts.apply(connection, link.received, now=self._now)
            self._fall_back(connection, applied.failed)
        link.acknowledge()
        self._counts.update(applied.counts)
        return applied.counts.total()

    def _give_up(self, channel: Channel, *, planned: bool) -> None:
        if planned:
            with self._database.begin() as connection:
                given_up = give_up_channel(connection, channel)
                self._fall_back(connection, given_up)
            self._counts[f"{channel}.unconfigured"] += len(given_up)

    def _fall_back(self, connection: sa.Connection, failed: Sequence[UUID]) -> None:
        if planned := fall_back(connection, failed, flows=self._flows, now=self._now):
            self._counts["fallback.planned"] += planned


def _tried(channel: Callable[[], None]) -> ChannelDownError | None:
    """The error of a channel that is down; the other one has its turn before it is raised."""
    try:
        channel()
    except ChannelDownError as error:
        return error
    return None
