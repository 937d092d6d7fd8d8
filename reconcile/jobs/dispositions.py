"""From decisions to intents: what the job that folds and the jobs that approve do alike, in one transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from reconcile.cases import breaker, bulk, dispositions
from reconcile.cases.dispositions import Decided
from reconcile.config import Configuration
from reconcile.config import Policy as PolicySection
from reconcile.domain.policy import Disposition, FlowStanding, Mode, Policy, Surroundings
from reconcile.remedy import intents, modes
from reconcile.remedy.intents import Remedy
from reconcile.store.tables import cases, incidents
from reconcile.store.tables import intents as intent_rows

_SPEAKING = frozenset({Mode.CANARY, Mode.LIVE})
_AWAITED = frozenset({Disposition.AWAIT_INCIDENT, Disposition.AWAIT_APPROVAL})


def policy_in_force(connection: sa.Connection, configuration: Configuration, flow: str) -> tuple[Policy, Mode]:
    """The flow's policy with the money keys that were activated, and its mode; a flow without one is stopped."""
    section: PolicySection = configuration.policy(flow)
    activated = modes.read(connection, flow)
    limits = activated.limits if activated else modes.Limits.of(configuration.flow(flow), section)
    policy = Policy(
        version=activated.policy_version if activated else limits.version,
        max_amount_minor=limits.max_amount_minor,
        approval_expires=section.approval_expires,
        news_every=section.news_every,
    )
    return policy, Mode(activated.name) if activated else Mode.STOPPED


def lock(connection: sa.Connection, flow: str) -> None:
    """Until the end of the transaction nobody else decides about this flow: neither a run nor a person."""
    key = sa.func.hashtextextended(f"flow:{flow}", 0)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def lock_cases(connection: sa.Connection, flow: str, changing: Sequence[UUID] = ()) -> None:
    """Locks what the rest of the transaction may change, in the order of the gate that pays: intents, cases, incidents.

    In any other order the two could wait for each other. `changing`: cases with a new verdict, whose intents may be void.
    """
    unsent = sa.select(intent_rows.c.intent_id).where(bulk.among(intent_rows.c.case_id, changing))
    connection.execute(unsent.order_by(intent_rows.c.intent_id).with_for_update())
    still_open = sa.select(cases.c.case_id).where(cases.c.flow == flow, cases.c.status == "open")
    connection.execute(still_open.order_by(cases.c.case_id).with_for_update())


def standing(connection: sa.Connection, flow: str, mode: Mode) -> FlowStanding:
    """How the flow stands now."""
    lasting = sa.select(incidents.c.incident_id).where(
        incidents.c.flow == flow, incidents.c.kind == "credits", incidents.c.status == "open"
    )
    outage = connection.execute(lasting).first() is not None
    return FlowStanding(mode=mode, breaker=breaker.why_open(connection, flow), outage=outage)


def speaks(flow: FlowStanding) -> bool:
    """Whether customers may be told anything at all (invariant 13; nobody is told in `shadow`)."""
    return flow.mode in _SPEAKING and flow.breaker is None


def settle(
    connection: sa.Connection,
    *,
    flow: str,
    touched: Sequence[UUID],
    policy: Policy,
    standing: FlowStanding,
    surroundings: Callable[[datetime], Surroundings],
    now: datetime,
    actor: str,
    also_waiting: bool = True,
) -> list[Decided]:
    """Decides cases and writes the intents that follow. In `shadow` and `stopped` decisions are recorded, nothing else."""
    acts = standing.mode in _SPEAKING
    decided = dispositions.settle(
        connection,
        flow=flow,
        touched=touched,
        policy=policy,
        standing=standing,
        surroundings=surroundings,
        now=now,
        actor=actor,
        acts=acts,
        also_waiting=also_waiting,
    )
    gone = [one.case_id for one in decided if one.case.remedy is not None and not one.still_owed]
    intents.withdraw(connection, now=now, case_ids=gone, reason="what it would pay is not what is owed any more")
    if acts:
        _plan(connection, decided, policy, now)
        _approve(connection, decided, now, actor)
    return decided


def _plan(connection: sa.Connection, decided: Sequence[Decided], policy: Policy, now: datetime) -> None:
    due = [
        one for one in decided if one.case.remedy is None and one.decision.disposition in {Disposition.PAY, *_AWAITED}
    ]
    intents.plan(connection, now=now, remedies=[_remedy(one, policy) for one in due])


def _approve(connection: sa.Connection, decided: Sequence[Decided], now: datetime, actor: str) -> None:
    by_approval: dict[UUID, list[UUID]] = {}
    for one in decided:
        if one.decision.disposition is Disposition.PAY and one.approval_id is not None and one.case.remedy is not None:
            by_approval.setdefault(one.approval_id, []).append(one.case_id)
    for approval_id, case_ids in by_approval.items():
        intents.approve(connection, now=now, case_ids=case_ids, approval_id=approval_id, actor=actor)


def _remedy(one: Decided, policy: Policy) -> Remedy:
    case: Any = one.case
    pays = one.decision.disposition is Disposition.PAY
    return Remedy(
        case_id=one.case_id,
        flow=case.flow,
        component="recredit",
        account=case.account,
        asset=case.asset,
        amount_minor=case.owed_minor,
        purchase_minor=case.confirmed_minor,
        reference=case.reference,
        message_id=case.message_id,
        verdict_version=case.version,
        policy_version=policy.version,
        reason=one.decision.reason,
        approved=pays,
        approval_id=one.approval_id if pays else None,
    )
