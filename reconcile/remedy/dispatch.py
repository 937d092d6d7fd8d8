"""The worker: passes the gate, sends, asks, records. `run()` wraps `send_one()` and `resolve_one()`."""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

import sqlalchemy as sa

from reconcile.domain.clock import Clock
from reconcile.logs import context
from reconcile.remedy import attempts, caps, gate, modes
from reconcile.remedy.attempts import Claimed, Heard, LeaseLostError
from reconcile.remedy.gateway import Gateway, Meaning
from reconcile.store.database import Database
from reconcile.store.tables import intents

LEASE_SECONDS: Final = 60
"""Longer than a send with all its time-outs; after it another worker takes the attempt over, and asks first."""
INTENTS_PER_RUN_MAX: Final = 20_000
RESOLVE_PER_ROUND_MAX: Final = 2_000
RESOLVE_ROUNDS_MAX: Final = 4
"""How often one run asks about what is open; what is still open then waits for the next run."""
RESOLVE_WAIT_SECONDS: Final = 0.25
SENDS_MAX: Final = 5
"""So many sends of one id, then a person looks: a gateway that never knows of it is broken."""

_NOT_NOW: Final = "not now"
_Item = TypeVar("_Item")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Pays the approved intents of one flow. Several may run at once, in any number of processes."""

    database: Database
    gateway: Gateway
    clock: Clock
    flow: str
    id_horizon: timedelta
    requests_per_second: int
    concurrency: int
    worker: str = field(default_factory=lambda: f"{os.uname().nodename}:{os.getpid()}")

    def run(self) -> Counter[str]:
        """Sends what is approved and asks about what is open; returns what became of it, by name."""
        counts: Counter[str] = Counter()
        if not self._may_start():
            counts["not_paying"] = 1
            return counts
        approved = self._approved()
        if not approved and not self._open():
            return counts
        if not self.gateway.available():
            counts["gateway_unavailable"] = 1
            return counts
        pace = _Pace(self.requests_per_second)
        self._each(approved, lambda intent_id: self.send_one(intent_id, pace), counts)
        for round_number in range(RESOLVE_ROUNDS_MAX):
            with self.database.begin() as connection:
                claimed = attempts.claim_unresolved(
                    connection, flow=self.flow, worker=self.worker, lease_seconds=LEASE_SECONDS,
                    limit=RESOLVE_PER_ROUND_MAX,
                )  # fmt: skip
            if not claimed:
                break
            if round_number:
                time.sleep(RESOLVE_WAIT_SECONDS * 2**round_number)
            self._each(claimed, lambda attempt: self.resolve_one(attempt, pace), counts)
        return counts

    def send_one(self, intent_id: UUID, pace: "_Pace") -> str:
        """Gate, commit, send, record. Whatever happens on the wire, the attempt is on record before it."""
        pace.wait()
        with self.database.begin() as connection:
            passed = gate.pass_one(
                connection, intent_id, gateway=self.gateway, now=self.clock.now(), worker=self.worker,
                lease_seconds=LEASE_SECONDS,
            )  # fmt: skip
        if passed is None:
            return "taken"
        if isinstance(passed, gate.Closed):
            _log.info("intent %s waits: %s", intent_id, passed.reason)
            return "waiting"
        heard = [("send", self.gateway.send(passed.order, passed.payload))]
        sent = heard[0][1]
        if sent.meaning is Meaning.ACCEPTED and sent.transaction_reference is not None:
            # It says that it is done: believe it once the transaction itself says so, with our amount and payee.
            passed = replace(passed, gateway_reference=sent.gateway_reference)
            heard.append(("ask", self.gateway.ask(passed.order, passed.gateway_reference)))
        return self._settle(passed, heard)

    def resolve_one(self, claimed: Claimed, pace: "_Pace") -> str:
        """Asks what became of an attempt; sends the same bytes again only when the gateway does not know of them."""
        pace.wait()
        heard = [("ask", self.gateway.ask(claimed.order, claimed.gateway_reference))]
        if heard[0][1].meaning is Meaning.NOT_FOUND:
            refusal = self._resend_refused(claimed)
            if refusal is None:
                heard.append(("send", self.gateway.send(claimed.order, claimed.payload)))
            elif refusal != _NOT_NOW:
                return self._escalate(claimed, heard, refusal)
        return self._settle(claimed, heard)

    def _may_start(self) -> bool:
        with self.database.begin() as connection:
            mode = modes.read(connection, self.flow)
        return mode is not None and mode.pays

    def _approved(self) -> list[UUID]:
        query = (
            sa.select(intents.c.intent_id)
            .where(intents.c.flow == self.flow, intents.c.status == "approved")
            .order_by(intents.c.planned_at, intents.c.intent_id)
            .limit(INTENTS_PER_RUN_MAX)
        )
        with self.database.begin() as connection:
            return list(connection.execute(query).scalars())

    def _open(self) -> bool:
        query = sa.select(sa.literal(1)).where(intents.c.flow == self.flow, intents.c.status == "executing").limit(1)
        with self.database.begin() as connection:
            return connection.execute(query).first() is not None

    def _each(self, items: list[_Item], act: Callable[[_Item], str], counts: Counter[str]) -> None:
        pool = ThreadPoolExecutor(
            self.concurrency, thread_name_prefix="dispatch", initializer=context.adopt, initargs=(context.current(),)
        )
        with pool:
            for outcome in pool.map(act, items):
                counts[outcome] += 1

    def _settle(self, claimed: Claimed, heard: Sequence[Heard]) -> str:
        """Keeps what was heard and moves on by the last of it, in one transaction."""
        now = self.clock.now()
        try:
            with self.database.begin() as connection:
                failed = heard[-1][1].meaning is Meaning.FAILED
                budget = self._budget(connection, claimed) if failed else []
                attempts.note(connection, claimed, heard, now=now)
                return attempts.settle(connection, claimed, heard[-1][1], now=now, budget=budget)
        except LeaseLostError as lost:
            _log.warning("%s", lost)
            with self.database.begin() as connection:
                attempts.note(connection, claimed, heard, now=now)
            return "lease_lost"

    def _budget(self, connection: sa.Connection, claimed: Claimed) -> list[caps.Cap]:
        intent = connection.execute(sa.select(intents).where(intents.c.intent_id == claimed.intent_id)).one()
        mode = modes.read(connection, self.flow)
        assert mode is not None
        assert claimed.sent_at is not None
        return gate.budget_of(connection, intent, mode.limits, claimed.sent_at)

    def _resend_refused(self, claimed: Claimed) -> str | None:
        """None: send again. `_NOT_NOW`: leave it as it is. Anything else: why a person must look."""
        now = self.clock.now()
        assert claimed.sent_at is not None
        if now - claimed.sent_at > self.id_horizon:
            return "the gateway may have forgotten the id: sending again could pay twice"
        if claimed.sends >= SENDS_MAX:
            return f"the gateway does not know of it after {claimed.sends} sends"
        with self.database.begin() as connection:
            intent = connection.execute(sa.select(intents).where(intents.c.intent_id == claimed.intent_id)).one()
            reason = gate.still_owed(connection, intent, modes.read(connection, self.flow))
            if reason is not None:
                _log.info("attempt %s is not sent again: %s", claimed.order.key, reason)
                return _NOT_NOW
            attempts.count_resend(connection, claimed)
        return None

    def _escalate(self, claimed: Claimed, heard: Sequence[Heard], reason: str) -> str:
        with self.database.begin() as connection:
            attempts.note(connection, claimed, heard, now=self.clock.now())
            attempts.escalate(connection, claimed, reason=reason, now=self.clock.now())
        return "escalated"


class _Pace:
    """Lets calls through at no more than a given rate, over all threads of this process."""

    def __init__(self, per_second: int) -> None:
        self._interval_seconds = 1 / per_second
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + self._interval_seconds
        if turn > now:
            time.sleep(turn - now)
