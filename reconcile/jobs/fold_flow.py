"""One step of a flow: its new batches are folded, and all that follows from the verdicts is committed at once.

A crash before the commit leaves files that nobody names; the next run does the same work again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.cases import approvals, incidents, news, verdicts
from reconcile.cases.dispositions import Decided
from reconcile.cases.incidents import Sight
from reconcile.cases.surroundings import around
from reconcile.config import Flow
from reconcile.config import Policy as PolicySection
from reconcile.domain.policy import Surroundings
from reconcile.domain.surge import SurgeRules
from reconcile.jobs import dispositions, fold_check, folding
from reconcile.jobs.folding import Intake
from reconcile.jobs.watch_feeds import watch_feeds
from reconcile.jobs.world import World
from reconcile.matching.cluster import Cluster
from reconcile.matching.outcome import Outcome
from reconcile.matching.statement_file import as_json
from reconcile.notices import planning
from reconcile.notices.event import Event
from reconcile.remedy import intents, verification
from reconcile.store.scratch import scratch_folder
from reconcile.store.tables import run_batches, run_withdrawals, runs, statements
from reconcile.store.worker_lock import held, of_flow

ACTOR: Final = "job:fold_flow"


class RunOvertakenError(RuntimeError):
    """Another run of the same flow was committed while this one was folding: its work is thrown away, run again."""


def fold_flow(world: World, flow: str, *, cluster: Cluster | None = None) -> str:
    """Brings a flow up to date; returns the id of its newest run, or an empty text while there is none.

    `cluster`: where a flow is matched that was never folded; later runs are for one machine (`ClusterError`).
    Raises `RunOvertakenError` when two of them meet, `fold_check.FoldRefusedError` when what the fold says cannot be true. Running it again on the same deliveries changes nothing.
    """
    section = world.configuration.flow(flow)
    with (
        world.job("fold_flow", flow) as run,
        held(world.database, of_flow(flow), shared=True),
        scratch_folder("fold") as folder,
    ):
        with world.database.begin() as connection:
            intake = folding.read(connection, world.configuration, section, run.now)
        outcome = None
        if intake.is_new:
            outcome = folding.run_fold(intake, world.lake, folder, cluster)
            fold_check.check(flow, outcome)
            world.lake.put(outcome.folder, intake.folder)
        with world.database.begin() as connection:
            _hold(connection, intake)
            run.counts["stopped_feeds"] = len(watch_feeds(connection, world.configuration, section, run.now))
            if outcome is not None:
                _write_run(connection, intake, outcome)
                run.counts.update(_follow(connection, world, intake, outcome))
            else:
                approvals.expire(connection, now=run.now)
                run.counts["told"] = _tell(connection, world, section, run.now)
        if outcome is not None:
            return str(intake.run_id)
    return "" if intake.pointer is None else str(intake.pointer.run_id)


def _hold(connection: sa.Connection, intake: Intake) -> None:
    """From here to the commit no other run of this flow writes; what was read before must still be the newest."""
    dispositions.lock(connection, intake.flow.name)
    newest = folding.pointer(connection, intake.flow.name)
    if (newest and newest.run_id) != (intake.pointer and intake.pointer.run_id):
        raise RunOvertakenError(f"another run of {intake.flow.name} was committed in the meantime")


def _write_run(connection: sa.Connection, intake: Intake, outcome: Outcome) -> None:
    """The run pointer moves on: a key of `runs` and one of `run_batches` let nothing be folded twice."""
    told, posted, paid = (intake.completeness.confirmations, intake.completeness.ledger, intake.completeness.payments)
    counts = outcome.counts
    connection.execute(
        sa.insert(runs).values(
            run_id=intake.run_id,
            flow=intake.flow.name,
            sequence=intake.sequence,
            path=intake.folder,
            as_of=intake.now,
            confirmation_watermark=told.complete_through,
            ledger_watermark=posted.complete_through,
            payment_watermark=paid.complete_through if paid is not None else None,
            grade=intake.completeness.grade,
            doubts=intake.doubts,
            new_rows=counts.new_confirmations + counts.new_entries,
            open_items=counts.open_confirmations + counts.open_entries,
        )
    )
    if intake.batches:
        taken = [
            {"flow": intake.flow.name, "batch_id": one.batch_id, "run_id": intake.run_id} for one in intake.batches
        ]
        connection.execute(sa.insert(run_batches), taken)
    if intake.withdrawn:
        given_back = [
            {"flow": intake.flow.name, "batch_id": batch_id, "run_id": intake.run_id} for batch_id in intake.withdrawn
        ]
        connection.execute(sa.insert(run_withdrawals), given_back)
    for day in outcome.statement:
        content = as_json(day)
        values = {
            "run_id": intake.run_id,
            "verdict": day.verdict,
            "lines": {name: content[name] for name in ("opening", "sides", "closing")},
        }
        row = insert(statements).values(flow=day.flow, asset=day.asset, day=day.day, **values)
        connection.execute(row.on_conflict_do_update(index_elements=["flow", "asset", "day"], set_=values))


def _follow(connection: sa.Connection, world: World, intake: Intake, outcome: Outcome) -> dict[str, int]:
    """Everything that the verdicts of this run lead to, in the order in which one thing rests on the other."""
    now, flow = intake.now, intake.flow
    rows = folding.verdicts(outcome)
    verified = verification.apply(connection, now=now, rows=folding.own_credits(outcome))
    dispositions.lock_cases(connection, flow.name, [row.break_id for row in rows])
    applied = verdicts.apply(connection, flow=flow.name, run_id=intake.run_id, now=now, rows=rows)
    verdicts.credited_by_us(connection, verified.verified)
    _void_approvals(connection, applied, now)

    policy, mode = dispositions.policy_in_force(connection, world.configuration, flow.name)
    rules = surge_rules(flow, world.configuration.policy(flow.name))
    sight = _sight(intake, outcome, rules)
    if sight is not None:
        incidents.watch(connection, flow=flow.name, asset=flow.asset, sight=sight, rules=rules)
    decided = dispositions.settle(
        connection,
        flow=flow.name,
        touched=[*applied.touched, *verified.doubled, *verified.missing],
        policy=policy,
        standing=dispositions.standing(connection, flow.name, mode),
        surroundings=around(connection, flow=flow.name, sight=sight, rules=rules) if sight else _unknown,
        now=now,
        actor=ACTOR,
    )
    intents.withdraw(connection, now=now, case_ids=applied.closed, reason="the case has closed")
    incidents.ask_again(connection, flow=flow.name, now=now)
    told = _tell(connection, world, flow, now, decided=decided, closed=applied.closed)
    return {
        "opened": len(applied.opened),
        "remedied": len(applied.remedied),
        "self_settled": len(applied.self_settled),
        "reopened": len(applied.reopened),
        "decided": len(decided),
        "told": told,
    }


def _tell(
    connection: sa.Connection,
    world: World,
    flow: Flow,
    now: datetime,
    *,
    decided: Sequence[Decided] = (),
    closed: Sequence[UUID] = (),
) -> int:
    """Plans the notices of this run, and with them the promises; returns how many notices are new."""
    _, mode = dispositions.policy_in_force(connection, world.configuration, flow.name)
    if not dispositions.speaks(dispositions.standing(connection, flow.name, mode)):
        return 0
    found = news.gather(
        connection,
        flow=flow.name,
        now=now,
        news_every=world.configuration.policy(flow.name).news_every,
        decided=decided,
        closed=closed,
    )
    events = [Event(case_id=one.case_id, name=one.name, facts=one.facts) for one in found]
    planned = planning.plan(connection, now=now, flow=flow, events=events)
    news.record(connection, found, now=now)
    news.cancel_pointless(connection, flow=flow.name, now=now)
    return planned


def _void_approvals(connection: sa.Connection, applied: verdicts.Applied, now: datetime) -> None:
    """A new verdict is a change of what was seen; what was paid under an approval stays paid under it."""
    approvals.expire(connection, now=now)
    approvals.void(connection, "case", applied.closed, now=now, reason="the case has closed")
    approvals.void(
        connection,
        "case",
        [*applied.changed, *applied.reopened],
        statuses=("proposed", "approved"),
        now=now,
        reason="a new verdict",
    )


def surge_rules(flow: Flow, policy: PolicySection) -> SurgeRules:
    """The rules for surges of a flow, from its configuration."""
    return SurgeRules(
        cases=policy.surge_cases,
        window=policy.surge_window,
        settle_after=policy.settle_after,
        recovered_share=policy.recovered_share,
        breaker_share=policy.breaker_share,
        deadline_after=flow.rules.deadline_after,
    )


def _sight(intake: Intake, outcome: Outcome, rules: SurgeRules) -> Sight | None:
    """None while a feed has never said how far it is complete: then nothing is judged either."""
    through, posted = intake.completeness.through, intake.completeness.ledger.complete_through
    if through is None or posted is None:
        return None
    return Sight(
        curve=folding.curve(outcome, intake.flow.asset),
        ledger_until=posted,
        judged_until=through - rules.deadline_after,
        now=intake.now,
    )


def _unknown(_: datetime) -> Surroundings:
    return Surroundings.FORMING
