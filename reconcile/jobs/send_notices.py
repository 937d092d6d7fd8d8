"""The job that tells customers: receipts first, then what is planned, each at most once."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import sqlalchemy as sa

from reconcile.jobs.world import World
from reconcile.notices import receipts
from reconcile.notices.claiming import Ready, claim, waiting
from reconcile.notices.mail import MailLink
from reconcile.notices.outcome import ChannelDownError, Outcome
from reconcile.notices.planning import Channel
from reconcile.notices.recording import fall_back, give_up_channel, record
from reconcile.notices.sender import only_sender, recover
from reconcile.notices.sms import SmsLink

CLAIMED_AT_ONCE: Final = 100
"""Notices between two commits. Whoever is killed in between leaves at most so many uncertain, which are not sent again."""
EARLIER_RECEIPTS_SECONDS: Final = 1.0
LATER_RECEIPTS_SECONDS: Final = 3.0
"""For how long receipts are taken before and after sending. What comes later is kept by the SMSC for the next run."""
EARLIER_QUIET_SECONDS: Final = 0.1
LATER_QUIET_SECONDS: Final = 0.4
"""A silence of this length ends it sooner."""


class _Link(Protocol):
    @property
    def usable(self) -> bool: ...

    def send(self, notices: Sequence[Ready]) -> list[Outcome]: ...


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
        down = [error for send in (self._sms, self._email) if (error := _attempt(send)) is not None]
        if len(down) > 1:
            raise ChannelDownError("; ".join(map(str, down)))
        if down:
            raise down[0]
        return self._counts

    def _sms(self) -> None:
        with self._database.begin() as connection:
            planned, awaited = "sms" in waiting(connection), receipts.awaited(connection, self._now)
        settings = self._configuration.sms
        if settings is None:
            self._give_up("sms", planned)
        elif planned or awaited:
            with SmsLink.open(settings) as link:
                self._collect(link, awaited, EARLIER_RECEIPTS_SECONDS, EARLIER_QUIET_SECONDS)
                if planned:
                    self._send(link, "sms")
                    with self._database.begin() as connection:
                        awaited = receipts.awaited(connection, self._now)
                    self._collect(link, awaited, LATER_RECEIPTS_SECONDS, LATER_QUIET_SECONDS)

    def _email(self) -> None:
        with self._database.begin() as connection:
            planned = "email" in waiting(connection)
        settings = self._configuration.email
        if settings is None:
            self._give_up("email", planned)
        elif planned:
            with MailLink.open(settings, now=self._now) as link:
                self._send(link, "email")

    def _send(self, link: _Link, channel: Channel) -> None:
        after, more = None, True
        while more and link.usable:
            with self._database.begin() as connection:
                page = claim(
                    connection,
                    channel=channel,
                    now=self._now,
                    flows=self._flows,
                    limit=CLAIMED_AT_ONCE,
                    after=after,
                )
            self._counts.update(page.counts)
            outcomes = link.send(page.ready)
            with self._database.begin() as connection:
                recorded = record(connection, list(zip(page.ready, outcomes, strict=True)), now=self._now)
                self._counts.update(recorded.counts)
                self._fall_back(connection, recorded.failed)
            after, more = page.after, page.after is not None

    def _collect(self, link: SmsLink, awaited: int, seconds: float, quiet_seconds: float) -> None:
        """Takes receipts until none is awaited, or the time is up. They are acknowledged when they are durable."""
        deadline = time.monotonic() + seconds
        while awaited > 0 and time.monotonic() < deadline and link.listen(quiet_seconds):
            with self._database.begin() as connection:
                applied = receipts.apply(connection, link.received, now=self._now)
                self._fall_back(connection, applied.failed)
            link.acknowledge()
            self._counts.update(applied.counts)
            awaited -= applied.counts.total()

    def _give_up(self, channel: Channel, planned: bool) -> None:
        if planned:
            with self._database.begin() as connection:
                self._fall_back(connection, give_up_channel(connection, channel))

    def _fall_back(self, connection: sa.Connection, failed: Sequence[UUID]) -> None:
        if again := fall_back(connection, failed, flows=self._flows, now=self._now):
            self._counts["fallback"] += again


def _attempt(send: Callable[[], None]) -> ChannelDownError | None:
    """The error of a channel that is down: the other channel has its turn first."""
    try:
        send()
    except ChannelDownError as error:
        return error
    return None
