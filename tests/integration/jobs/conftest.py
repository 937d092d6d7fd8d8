"""A small operator whose deliveries are published straight into the lake, and the real jobs working on them."""

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile import config
from reconcile.domain import ids
from reconcile.domain.clock import FileClock
from reconcile.domain.confirmation import identity
from reconcile.jobs import approvals as approving
from reconcile.jobs.fold_flow import fold_flow
from reconcile.jobs.world import World
from reconcile.matching import columns
from reconcile.remedy import modes
from reconcile.remedy.dispatch import Dispatcher
from reconcile.remedy.gateway import Answer, Meaning, Order
from reconcile.store.database import Database
from reconcile.store.lake import Lake
from reconcile.store.tables import approvals, batches, cases, feeds, flow_modes, incidents, notices

DAY = datetime(2024, 7, 9, tzinfo=UTC)
FLOW = "topup"
ARROW = {
    "UUID": pa.string(), "VARCHAR": pa.string(), "BIGINT": pa.int64(), "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
}  # fmt: skip


@dataclass
class Operator:
    """Customers buy, the ledger posts, every advance delivers what has happened since; our own credits come back on it."""

    world: World
    clock_file: Path
    confirmations: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    payments: list[dict[str, Any]] = field(default_factory=list)
    own_keys: dict[UUID, int] = field(default_factory=dict)
    delivered_through: datetime = DAY
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def buy(
        self,
        when: datetime,
        *,
        credited: datetime | None = None,
        account: str | None = None,
        amount: int = 1050,
        reference: str | None = None,
    ) -> UUID:
        """A confirmed purchase, credited at that instant or not (yet); returns its id, which is that of its case."""
        number = next(self.numbers)
        reference = reference or f"RC{number:06d}"
        account = account or f"+22507{number:08d}"
        confirmation_id = ids.confirmation_id(FLOW, identity("maxit", reference, str(number)))
        self.confirmations.append({
            "confirmation_id": str(confirmation_id), "message_id": f"M{number}", "match_key": _key(reference, account),
            "account_key": _key(account), "reference": reference, "account": account, "payer": account, "asset": "XOF",
            "amount_minor": amount, "product": "airtime", "outcome": "success", "confidence": "high",
            "confirmed_at": when,
        })  # fmt: skip
        if credited is not None:
            self.post(credited, account, amount, reference=reference)
        return confirmation_id

    def post(
        self,
        when: datetime,
        account: str,
        amount: int,
        *,
        reference: str | None = None,
        own_key: str | None = None,
        kind: str = "purchase",
    ) -> None:
        """A row of the ledger."""
        self.entries.append({
            "entry_id": str(ids.entry_id("ocs", str(next(self.numbers)))),
            "match_key": _key(reference, account) if reference else None, "account_key": _key(account),
            "reference": reference, "account": account, "asset": "XOF", "amount_minor": amount, "kind": kind,
            "own_key": own_key, "posted_at": when,
        })  # fmt: skip

    def pay(self, when: datetime, account: str, amount: int, *, reference: str | None = None) -> UUID:
        """A debit of whoever paid; returns its id, which is that of its case if nothing explains it."""
        payment_id = ids.payment_id("debits", str(next(self.numbers)))
        self.payments.append({
            "payment_id": str(payment_id), "match_key": _key(reference, account) if reference else None,
            "account_key": _key(account), "reference": reference, "account": account, "payer": account, "asset": "XOF",
            "amount_minor": amount, "paid_at": when,
        })  # fmt: skip
        return payment_id

    def credit_late(self, case_id: UUID, when: datetime) -> None:
        """The original of that purchase lands after all."""
        bought = self.purchase(case_id)
        self.post(when, bought["account"], bought["amount_minor"], reference=bought["reference"])

    def purchase(self, case_id: UUID) -> dict[str, Any]:
        return next(one for one in self.confirmations if one["confirmation_id"] == str(case_id))

    def trade(self, start: datetime, end: datetime, *, every: timedelta, credited: bool = True) -> list[UUID]:
        """One purchase each `every`, each credited three seconds later, or none of them."""
        found = []
        when = start
        while when < end:
            found.append(self.buy(when, credited=when + timedelta(seconds=3) if credited else None))
            when += every
        return found

    def advance(self, to: datetime, *, unread_rows: int = 0) -> None:
        """Delivers everything up to `to` on both feeds, then moves the clock there."""
        self._deliver("smsc", "confirmation", self.confirmations, "confirmed_at", to, columns.CONFIRMATION, 0)
        self._deliver("ocs", "ledger", self.entries, "posted_at", to, columns.ENTRY, unread_rows)
        if any(feed.side == "payment" for feed in self.world.configuration.feeds):
            self._deliver("debits", "payment", self.payments, "paid_at", to, columns.PAYMENT, 0)
        self.delivered_through = to
        self.clock_file.write_text(to.isoformat())

    def fold(self) -> str:
        return fold_flow(self.world, FLOW)

    def tick(self, to: datetime) -> str:
        """What one tick of a scheduler does: take in, fold, dispatch."""
        self.advance(to)
        run_id = self.fold()
        self.dispatch()
        return run_id

    def dispatch(self) -> dict[str, int]:
        """Pays what is approved, through the real gate, at a gateway that credits once per key."""
        return dict(
            Dispatcher(
                database=self.world.database, gateway=_Gateway(self), clock=self.world.clock, flow=FLOW,
                id_horizon=timedelta(hours=24), requests_per_second=10_000, concurrency=4,
            ).run()
        )  # fmt: skip

    def case(self, case_id: UUID) -> Any:
        with self.world.database.begin() as connection:
            return connection.execute(sa.select(cases).where(cases.c.case_id == case_id)).one_or_none()

    def rows(self, table: sa.Table, *conditions: Any) -> list[Any]:
        with self.world.database.begin() as connection:
            key = list(table.primary_key.columns)
            return list(connection.execute(sa.select(table).where(*conditions).order_by(*key)))

    def approve(self) -> None:
        """Two people look once: they propose what waits for an incident, and approve all that is proposed."""
        for incident in self.rows(incidents, incidents.c.status == "recovered"):
            waiting = self.waiting(incident.incident_id)
            if not waiting or self.rows(
                approvals, approvals.c.subject_id == incident.incident_id, approvals.c.status == "proposed"
            ):
                continue
            approving.propose_incident(
                self.world, incident.incident_id, "maker", "a queue was stuck", len(waiting),
                sum(case.owed_minor for case in waiting),
            )  # fmt: skip
        for proposal in self.rows(approvals, approvals.c.status == "proposed"):
            if proposal.subject_kind == "incident":
                approving.approve_incident(self.world, proposal.subject_id, "approver", proposal.evidence_hash)
            else:
                number = self.case(proposal.subject_id).number
                approving.approve_case(self.world, number, "approver", proposal.evidence_hash)

    def waiting(self, incident_id: UUID) -> list[Any]:
        """The open cases of an incident that its approval would cover."""
        awaited = cases.c.disposition.in_(("await_incident", "await_approval"))
        return self.rows(cases, cases.c.incident_id == incident_id, cases.c.status == "open", awaited)

    def told(self) -> dict[str, int]:
        """How many customers were told what."""
        return dict(Counter(row.event for row in self.rows(notices)))

    def mode(self, name: str) -> None:
        with self.world.database.begin() as connection:
            connection.execute(sa.update(flow_modes).values(mode=name))

    def _deliver(
        self,
        feed: str,
        side: str,
        rows: list[dict[str, Any]],
        time_column: str,
        to: datetime,
        kinds: Any,
        unread_rows: int,
    ) -> None:
        new = [row for row in rows if self.delivered_through < row[time_column] <= to]
        path = f"batches/{feed}/{to:%H%M%S}.parquet"
        digest = hashlib.sha256(f"{feed} {to}".encode()).hexdigest()
        batch_id = ids.batch_id(feed, digest)
        self._write([{**row, "batch_id": str(batch_id)} for row in new], kinds, path)
        with self.world.database.begin() as connection:
            values = {"flow": FLOW, "side": side, "watermark": to, "grade": "proven", "updated_at": to}
            connection.execute(
                insert(feeds).values(feed=feed, **values).on_conflict_do_update(index_elements=["feed"], set_=values)
            )
            connection.execute(
                sa.insert(batches).values(
                    batch_id=batch_id, feed=feed, flow=FLOW, side=side, source=path, sha256=digest, status="landed",
                    landed_path=path, landed_at=to, path=path, raw_rows=len(new) + unread_rows,
                    published_rows=len(new), out_of_scope_rows=unread_rows, complete_through=to,
                )
            )  # fmt: skip
            connection.execute(
                sa.update(batches).where(batches.c.batch_id == batch_id).values(status="published", published_at=to)
            )

    def _write(self, rows: list[dict[str, Any]], kinds: Any, path: str) -> None:
        table = pa.Table.from_pylist(rows, schema=pa.schema([(name, ARROW[kind]) for name, kind in kinds.items()]))
        file = self.world.lake.url(path)
        with duckdb.connect() as connection:
            connection.register("rows", table)
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            connection.execute(f"COPY (SELECT {columns.select(kinds)} FROM rows) TO '{file}' (FORMAT parquet)")


class _Gateway:
    """Credits once per key, a second after the tick."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def available(self) -> bool:
        return True

    def payload(self, order: Order) -> bytes:
        return f"{order.key} {order.account} {order.amount_minor}".encode()

    def send(self, order: Order, payload: bytes) -> Answer:
        if order.key not in self._operator.own_keys:
            self._operator.own_keys[order.key] = order.amount_minor
            self._operator.post(
                self._operator.now + timedelta(seconds=1), order.account, order.amount_minor, own_key=str(order.key)
            )
        return Answer(Meaning.COMPLETED, 202, "S")

    def ask(self, order: Order, gateway_reference: str | None) -> Answer:
        return Answer(Meaning.COMPLETED if order.key in self._operator.own_keys else Meaning.NOT_FOUND)


def _key(*parts: str) -> str:
    return str(UUID(hashlib.md5("|".join((FLOW, *parts, "XOF")).encode(), usedforsecurity=False).hexdigest()))


@pytest.fixture
def settings() -> dict[str, Any]:
    """What the configuration says of policy; tests change it before they ask for `operator`."""
    return {"surge_cases": 10, "max_amount": "5000"}


@pytest.fixture
def declared() -> dict[str, Any]:
    """What the configuration says of the flow beyond the least; tests change it before they ask for `operator`."""
    return {}


@pytest.fixture
def more_feeds() -> list[dict[str, Any]]:
    """Feeds beyond the two that every flow has."""
    return []


@pytest.fixture
def operator(
    database_url: str, tmp_path: Path, settings: dict[str, Any], declared: dict[str, Any], more_feeds: list[Any]
) -> Iterator[Operator]:
    clock_file = tmp_path / "clock"
    clock_file.write_text(DAY.isoformat())
    configuration = config.build(
        {
            "flow": [{"name": FLOW, "asset": "XOF", "since": DAY, "mode": "live", **declared}],
            "feed": [
                {"name": "smsc", "flow": FLOW, "side": "confirmation", "reader": "jsonl", "location": "in/*.jsonl"},
                {"name": "ocs", "flow": FLOW, "side": "ledger", "reader": "csv", "location": "in/*.csv"},
                *more_feeds,
            ],
            "policy": {FLOW: settings},
        },
        home=tmp_path,
        source="test",
    )
    database = Database(database_url)
    flow = configuration.flow(FLOW)
    with database.begin() as connection:
        modes.activate(
            connection, flow=FLOW, mode="live", limits=modes.Limits.of(flow, configuration.policy(FLOW)), actor="test",
            reason="test", now=DAY,
        )  # fmt: skip
    world = World(configuration, database, Lake(str(tmp_path / "lake")), FileClock(clock_file))
    yield Operator(world, clock_file)
    database.dispose()
