"""What a run of the fold takes in, and its outcome as values: between the store, the lake and `matching`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from reconcile.cases.verdict import Verdict
from reconcile.config import Configuration, Flow
from reconcile.domain import ids
from reconcile.domain.surge import Curve, Minute
from reconcile.feeds import withdrawal
from reconcile.matching import state
from reconcile.matching.cluster import Cluster
from reconcile.matching.engine import Engine
from reconcile.matching.fold import fold
from reconcile.matching.outcome import Outcome
from reconcile.matching.statement import is_incomplete
from reconcile.matching.watermark import Completeness, Watermark
from reconcile.remedy import intents
from reconcile.remedy.verification import OwnCredit
from reconcile.store.lake import Lake
from reconcile.store.tables import batches, feeds, quarantine, run_batches, run_withdrawals, runs, statements

STATE_FILES: Final = (
    state.MANIFEST,
    state.CONFIRMATIONS,
    state.ENTRIES,
    state.PAYMENTS,
    state.HEARD,
    state.UNTRACEABLE,
    state.JUDGED,
    state.TOTALS,
    state.MINUTES,
    state.STATEMENT,
    state.WOKEN,
)
"""What the next fold reads of a run's folder."""


@dataclass(frozen=True, slots=True)
class Intake:
    """All that one run reads of the store, as it stood at one moment. `pointer`: the newest run, or None.

    `withdrawn`: batches that earlier runs took and whose rows leave now; `doubted`: see `feeds.withdrawal`.
    `is_stale`: a day whose statement does not say so has become incomplete, because a feed stands still.
    `keyless`: no ledger feed of the flow has a column for our keys.
    """

    flow: Flow
    now: datetime
    pointer: sa.Row[Any] | None
    batches: Sequence[sa.Row[Any]]
    completeness: Completeness
    own: pa.Table
    held_accounts: frozenset[str]
    held_references: frozenset[str]
    held_rows: frozenset[UUID]
    withdrawn: Sequence[UUID]
    doubted: Sequence[sa.Row[Any]]
    is_stale: bool
    keyless: bool

    @property
    def sequence(self) -> int:
        return 1 if self.pointer is None else self.pointer.sequence + 1

    @property
    def run_id(self) -> UUID:
        """The same work at the same instant is the same run."""
        took = sorted(str(batch.batch_id) for batch in self.batches)
        return ids.derive(
            "run",
            self.flow.name,
            str(self.sequence),
            self.now.isoformat(),
            *took,
            *(f"without {one}" for one in self.withdrawn),
        )

    @property
    def folder(self) -> str:
        """Where the run's files lie, below the lake."""
        return f"runs/{self.flow.name}/{self.run_id}"

    @property
    def doubts(self) -> UUID:
        """What keeps purchases from being judged, as one id: the rows in quarantine, and the batches in doubt."""
        return ids.derive("doubts", *sorted(map(str, (*self.held_rows, *(batch.batch_id for batch in self.doubted)))))

    @property
    def is_new(self) -> bool:
        """Whether there is anything that the newest run has not seen: a batch, one that was withdrawn, a later watermark, or
        too long without one; or whether something else keeps purchases from being judged by now.
        """
        if self.pointer is None:
            return bool(self.batches)
        complete = self.completeness
        known = (self.pointer.confirmation_watermark, self.pointer.ledger_watermark, self.pointer.payment_watermark)
        reached = (
            complete.confirmations.complete_through,
            complete.ledger.complete_through,
            complete.payments.complete_through if complete.payments is not None else None,
        )
        is_moved = reached != known or self.doubts != self.pointer.doubts
        return bool(self.batches or self.withdrawn) or self.is_stale or is_moved


def read(connection: sa.Connection, configuration: Configuration, flow: Flow, now: datetime) -> Intake:
    """What the next run of the flow takes in."""
    doubted = withdrawal.doubted(connection, flow.name)
    completeness = _completeness(connection, configuration, flow.name, doubted=bool(doubted))
    held = connection.execute(
        sa.select(quarantine.c.quarantine_id, quarantine.c.account, quarantine.c.reference).where(
            quarantine.c.flow == flow.name,
            quarantine.c.side.in_(withdrawal.HOLDING_SIDES),
            quarantine.c.status == "held",
        )
    ).all()
    return Intake(
        flow=flow,
        now=now,
        pointer=pointer(connection, flow.name),
        batches=_unfolded(connection, flow.name),
        completeness=completeness,
        own=intents.own_table(connection, flow.name, since=(completeness.through or now) - flow.horizon),
        held_accounts=frozenset(row.account for row in held if row.account),
        held_references=frozenset(row.reference for row in held if row.reference),
        held_rows=frozenset(row.quarantine_id for row in held),
        withdrawn=_withdrawn(connection, flow.name),
        doubted=doubted,
        is_stale=_is_stale(connection, flow, completeness, now),
        keyless=not any(
            feed.flow == flow.name and feed.side == "ledger" and "own_key" in feed.named_columns
            for feed in configuration.feeds
        ),
    )


def pointer(connection: sa.Connection, flow: str) -> sa.Row[Any] | None:
    """The flow's newest run, or None."""
    query = sa.select(runs).where(runs.c.flow == flow).order_by(runs.c.sequence.desc()).limit(1)
    return connection.execute(query).one_or_none()


def run_fold(intake: Intake, lake: Lake, scratch: Path, cluster: Cluster | None = None) -> Outcome:
    """Folds what was taken in, here or on a cluster; files are written below `scratch`, and nowhere else.

    Whoever stands in a batch that was withdrawn, and in whose place nothing stands yet, is held like one whose row nobody can read.
    """
    accounts, references = withdrawal.concerned(lake, intake.doubted)
    rules = intake.flow.rules
    previous = None if intake.pointer is None else state_here(lake, intake.pointer, scratch)
    keys = keys_here(lake, previous, intake.flow.name, scratch)
    known = {file.name for file in keys.iterdir()} if keys.exists() else set()
    outcome = fold(
        rules=replace(rules, options=replace(rules.options, keyless=intake.keyless)),
        previous=previous,
        confirmations=_urls(intake, lake, "confirmation"),
        entries=_urls(intake, lake, "ledger"),
        payments=_urls(intake, lake, "payment"),
        own=intake.own,
        completeness=intake.completeness,
        as_of=intake.now,
        out=scratch / "run",
        held_accounts=sorted(intake.held_accounts | accounts),
        held_references=sorted(intake.held_references | references),
        withdrawn=[str(batch_id) for batch_id in intake.withdrawn],
        keys=keys,
        engine=Engine(filesystem=lake.filesystem, cluster=cluster),
    )
    if not lake.is_local:
        for name in sorted(state.needed_keys(outcome.folder, intake.flow.name) - known):
            lake.put(keys / name, f"{keys_folder(intake.flow.name)}/{name}")
    return outcome


def keys_folder(flow: str) -> str:
    """Where the files of a flow's key index lie, below the lake; the newest run's state names those that count."""
    return f"keys/{flow}"


def state_here(lake: Lake, run: sa.Row[Any], scratch: Path, names: Sequence[str] = STATE_FILES) -> Path:
    """The folder of a run on this machine, with these files of its state: of a lake elsewhere, a copy below `scratch`."""
    if lake.is_local:
        return Path(lake.url(run.path))
    folder = scratch / "state"
    folder.mkdir()
    for name in names:
        stored = f"{run.path}/{name}"
        if name not in state.LATER or lake.exists(stored):
            lake.fetch(stored, folder / name)
    return folder


def keys_here(lake: Lake, previous: Path | None, flow: str, scratch: Path) -> Path:
    """The folder of the flow's key index on this machine: a lake elsewhere is copied, as far as the fold after `previous` needs it."""
    there = keys_folder(flow)
    if lake.is_local:
        return Path(lake.url(there))
    folder = scratch / "keys"
    folder.mkdir()
    if previous is not None:
        for name in sorted(state.needed_keys(previous, flow)):
            if lake.exists(f"{there}/{name}"):
                lake.fetch(f"{there}/{name}", folder / name)
    return folder


def verdicts(outcome: Outcome) -> list[Verdict]:
    """The new and changed verdicts of a run."""
    return [
        Verdict.of(
            {
                **row,
                "confirmation_ids": tuple(map(str, row["confirmation_ids"])),
                "entry_ids": tuple(map(str, row["entry_ids"])),
                "evidence": json.loads(row["evidence"]),
            }
        )
        for row in pq.read_table(outcome.verdicts).to_pylist()
    ]


def own_credits(outcome: Outcome) -> list[OwnCredit]:
    """What the ledger shows of our own credits."""
    return [
        OwnCredit(
            own_key=row["own_key"],
            entry_count=row["entries"],
            sum_minor=row["sum_minor"],
            posted_at=row["posted_at"],
            verdict=row["verdict"],
        )
        for row in pq.read_table(outcome.own).to_pylist()
    ]


def curve(outcome: Outcome, asset: str) -> Curve:
    """Confirmed against credited, by the minute, of one asset."""
    table = pq.read_table(outcome.curve, columns=["asset", "minute", "confirmed_rows", "credited_rows"])
    table = table.filter(pc.equal(table["asset"], asset))
    columns = (table[name].to_pylist() for name in ("minute", "confirmed_rows", "credited_rows"))
    return Curve([Minute(*values) for values in zip(*columns, strict=True)])


def _unfolded(connection: sa.Connection, flow: str) -> Sequence[sa.Row[Any]]:
    folded = sa.exists().where(run_batches.c.flow == flow, run_batches.c.batch_id == batches.c.batch_id)
    query = sa.select(batches).where(
        batches.c.flow == flow,
        batches.c.status == "published",
        batches.c.side.in_(("confirmation", "ledger", "payment")),
        ~folded,
    )
    return connection.execute(query.order_by(batches.c.batch_id)).all()


def _withdrawn(connection: sa.Connection, flow: str) -> list[UUID]:
    """Batches whose rows are in the state, and must leave it."""
    gone = sa.exists().where(run_withdrawals.c.flow == flow, run_withdrawals.c.batch_id == batches.c.batch_id)
    query = (
        sa.select(batches.c.batch_id)
        .join(run_batches, run_batches.c.batch_id == batches.c.batch_id)
        .where(run_batches.c.flow == flow, batches.c.status == "withdrawn", ~gone)
    )
    return list(connection.execute(query.order_by(batches.c.batch_id)).scalars())


def _completeness(connection: sa.Connection, configuration: Configuration, flow: str, *, doubted: bool) -> Completeness:
    """The smallest watermark of each side, over the feeds that are configured: one that never spoke holds all back.

    `doubted`: what was proven rests on a batch that was taken back; then the ledger's watermark is no more than assumed.
    """
    known = {row.feed: row for row in connection.execute(sa.select(feeds).where(feeds.c.flow == flow))}

    def side(name: str) -> Watermark:
        names = [feed.name for feed in configuration.feeds if feed.flow == flow and feed.side == name]
        found = [known[feed] for feed in names if feed in known and known[feed].watermark is not None]
        complete = bool(names) and len(found) == len(names)
        return Watermark(
            complete_through=min(row.watermark for row in found) if complete else None,
            grade="proven" if complete and all(row.grade == "proven" for row in found) else "assumed",
        )

    ledger = side("ledger")
    has_payments = any(feed.flow == flow and feed.side == "payment" for feed in configuration.feeds)
    return Completeness(
        confirmations=side("confirmation"),
        ledger=replace(ledger, grade="assumed") if doubted else ledger,
        payments=side("payment") if has_payments else None,
    )


def _is_stale(connection: sa.Connection, flow: Flow, completeness: Completeness, now: datetime) -> bool:
    said = sa.select(statements.c.day).where(statements.c.flow == flow.name, statements.c.verdict != "incomplete")
    if completeness.through is not None:
        # Earlier days are complete, whatever stands still.
        said = said.where(statements.c.day >= (completeness.through - flow.rules.deadline_after).date())
    days = connection.execute(said).scalars()
    return any(is_incomplete(day, completeness, flow.rules.deadline_after, now) for day in days)


def _urls(intake: Intake, lake: Lake, side: str) -> list[str]:
    return [lake.url(batch.path) for batch in intake.batches if batch.side == side and batch.path is not None]
