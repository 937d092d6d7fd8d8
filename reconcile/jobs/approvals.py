"""Two people, one decision: the remedies of an incident, those of a single case, and closing a breaker that is open.

Each function is one transaction. Who may do what is the desk's to decide; that the two are not the same person, and
that nothing has changed since it was seen, is decided here.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from reconcile.cases import approvals, breaker, bulk, dispositions
from reconcile.domain.breaks import OWING
from reconcile.domain.policy import Disposition, Surroundings
from reconcile.domain.terms import evidence_hash as hash_of
from reconcile.jobs import dispositions as deciding
from reconcile.jobs.world import World
from reconcile.store.tables import cases, incidents, intents
from reconcile.store.transitions import advance


class NotAllowed(RuntimeError):  # noqa: N818 - says what is the matter; the desk shows it as it is
    """This person may not do that, or not in this state; the message says which."""


class ChangedSinceSeen(RuntimeError):  # noqa: N818 - as above
    """What was seen is not what is true any more: look again."""


class Expired(RuntimeError):  # noqa: N818 - as above
    """The proposal waited too long; it must be made again."""


def propose_incident(world: World, incident_id: UUID, maker: str, cause: str, max_count: int, max_minor: int) -> UUID:
    """Proposes to pay up to `max_count` more remedies of up to `max_minor` in all; returns the approval's id.

    Raises `NotAllowed` unless the incident has recovered and no proposal of it is open.
    """
    now = world.clock.now()
    if max_count < 1 or max_minor < 1 or not cause.strip():
        raise NotAllowed("a proposal names a cause, and at least one remedy")
    with world.database.begin() as connection:
        incident = _incident(connection, incident_id)
        approvals.expire(connection, now=now)
        if incident.status != "recovered":
            raise NotAllowed(f"the incident is {incident.status}: only one that has recovered can be proposed")
        _refuse_second(connection, "incident", incident_id)
        policy, _ = deciding.policy_in_force(connection, world.configuration, incident.flow)
        proposal = approvals.Proposal(
            subject_kind="incident",
            subject_id=incident_id,
            maker=maker,
            reason=cause.strip(),
            terms=_incident_terms(incident, cause.strip(), max_count, max_minor, policy.version),
            expires_at=now + policy.approval_expires,
        )
        return approvals.propose(connection, [proposal], now=now)[0]


def approve_incident(world: World, incident_id: UUID, approver: str, evidence_hash: str) -> int:
    """Approves what is proposed: its budget opens, its breaker closes, its cases are decided again; returns how many cases
    it lets be paid now. Raises `NotAllowed`, `ChangedSinceSeen`, `Expired`.
    """
    now = world.clock.now()
    with world.database.begin() as connection:
        incident = _incident(connection, incident_id)
        policy, _ = deciding.policy_in_force(connection, world.configuration, incident.flow)
        proposal = _proposal(connection, "incident", incident_id, approver, evidence_hash, now)
        seen = proposal.terms
        current = _incident_terms(incident, proposal.reason, seen["max_count"], seen["max_minor"], policy.version)
        if incident.status != "recovered" or hash_of(current) != evidence_hash:
            raise ChangedSinceSeen("the incident has changed since it was proposed")
        approvals.decide(connection, proposal, status="approved", approver=approver, now=now, reason=proposal.reason)
        advance(
            connection,
            incidents,
            incident_id,
            expected="recovered",
            status="approved",
            cause=proposal.reason,
            max_count=incident.used_count + seen["max_count"],
            max_minor=incident.used_minor + seen["max_minor"],
        )
        breaker.reset(
            connection, flow=incident.flow, reason="an incident was approved", now=now, actor=f"user:{approver}"
        )
        return _settle(connection, world, incident.flow, _open_cases(connection, incident_id), now, approver)


def reject_incident(world: World, incident_id: UUID, approver: str, evidence_hash: str, reason: str) -> None:
    """Turns a proposal down; the incident stays proposable. Raises as `approve_incident`."""
    now = world.clock.now()
    with world.database.begin() as connection:
        _incident(connection, incident_id)
        proposal = _proposal(connection, "incident", incident_id, approver, evidence_hash, now)
        approvals.decide(connection, proposal, status="rejected", approver=approver, now=now, reason=reason)


def propose_case(world: World, number: str, maker: str, reason: str) -> UUID:
    """Proposes to pay one case; returns the approval's id. Raises `NotAllowed` unless it is owed and nothing was sent."""
    now = world.clock.now()
    with world.database.begin() as connection:
        case = _case(connection, number)
        approvals.expire(connection, now=now)
        _refuse_unpayable(connection, case)
        _refuse_second(connection, "case", case.case_id)
        policy, _ = deciding.policy_in_force(connection, world.configuration, case.flow)
        proposal = approvals.Proposal(
            subject_kind="case",
            subject_id=case.case_id,
            maker=maker,
            reason=reason,
            terms=dispositions.case_terms(case, policy.version),
            expires_at=now + policy.approval_expires,
        )
        return approvals.propose(connection, [proposal], now=now)[0]


def approve_case(world: World, number: str, approver: str, evidence_hash: str) -> int:
    """Approves the payment of one case; returns how many cases that lets be paid now: 1, or 0 while an outage lasts.

    Raises `NotAllowed`, `ChangedSinceSeen`, `Expired`.
    """
    now = world.clock.now()
    with world.database.begin() as connection:
        case = _case(connection, number)
        policy, _ = deciding.policy_in_force(connection, world.configuration, case.flow)
        proposal = _proposal(connection, "case", case.case_id, approver, evidence_hash, now)
        _refuse_unpayable(connection, case)
        if hash_of(dispositions.case_terms(case, policy.version)) != evidence_hash:
            raise ChangedSinceSeen("the case has changed since it was proposed")
        approvals.decide(connection, proposal, status="approved", approver=approver, now=now, reason=proposal.reason)
        return _settle(connection, world, case.flow, [case.case_id], now, approver)


def reject_case(world: World, number: str, approver: str, evidence_hash: str, reason: str) -> None:
    """Turns a proposal down; the case stays open, with a person. Raises as `approve_case`."""
    now = world.clock.now()
    with world.database.begin() as connection:
        case = _case(connection, number)
        proposal = _proposal(connection, "case", case.case_id, approver, evidence_hash, now)
        approvals.decide(connection, proposal, status="rejected", approver=approver, now=now, reason=reason)
        bulk.update(
            connection,
            cases,
            [
                {
                    "case_id": case.case_id,
                    "disposition": str(Disposition.REVIEW),
                    "disposition_reason": f"turned down: {reason}",
                    "owner": "queue:rejected",
                }
            ],
            expected="open",
        )


def propose_reopening(world: World, flow: str, maker: str, reason: str) -> UUID:
    """Proposes to let a flow pay and speak again; returns the approval's id. Raises `NotAllowed` unless its breaker is open."""
    now = world.clock.now()
    with world.database.begin() as connection:
        deciding.lock(connection, flow)
        approvals.expire(connection, now=now)
        _refuse_second(connection, "breaker", breaker.subject(flow))
        policy, _ = deciding.policy_in_force(connection, world.configuration, flow)
        proposal = approvals.Proposal(
            subject_kind="breaker",
            subject_id=breaker.subject(flow),
            maker=maker,
            reason=reason,
            terms=_breaker_terms(connection, flow),
            expires_at=now + policy.approval_expires,
        )
        return approvals.propose(connection, [proposal], now=now)[0]


def approve_reopening(world: World, flow: str, approver: str, evidence_hash: str) -> None:
    """Closes the breaker; what waited for it is decided by the next run. Raises as `approve_incident`."""
    now = world.clock.now()
    with world.database.begin() as connection:
        deciding.lock(connection, flow)
        proposal = _proposal(connection, "breaker", breaker.subject(flow), approver, evidence_hash, now)
        if hash_of(_breaker_terms(connection, flow)) != evidence_hash:
            raise ChangedSinceSeen("the breaker has changed since that was proposed")
        approvals.decide(connection, proposal, status="approved", approver=approver, now=now, reason=proposal.reason)
        breaker.reset(connection, flow=flow, reason=proposal.reason, now=now, actor=f"user:{approver}")


def _settle(
    connection: sa.Connection, world: World, flow: str, case_ids: list[UUID], now: datetime, approver: str
) -> int:
    policy, mode = deciding.policy_in_force(connection, world.configuration, flow)
    decided = deciding.settle(
        connection,
        flow=flow,
        touched=case_ids,
        also_waiting=False,
        policy=policy,
        standing=deciding.standing(connection, flow, mode),
        surroundings=lambda _: Surroundings.FORMING,
        now=now,
        actor=f"user:{approver}",
    )
    return sum(one.decision.disposition is Disposition.PAY for one in decided)


def _incident(connection: sa.Connection, incident_id: UUID) -> sa.Row[Any]:
    """The incident, after the locks that every decision about its flow takes, in their order."""
    query = sa.select(incidents).where(incidents.c.incident_id == incident_id)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise NotAllowed(f"there is no incident {incident_id}")
    deciding.lock(connection, found.flow)
    deciding.lock_cases(connection, found.flow)
    return connection.execute(query.with_for_update()).one()


def _case(connection: sa.Connection, number: str) -> sa.Row[Any]:
    """The case with its evidence, after the locks that every decision about its flow takes."""
    found = connection.execute(sa.select(cases.c.flow).where(cases.c.number == number)).one_or_none()
    if found is None:
        raise NotAllowed(f"there is no case {number}")
    deciding.lock(connection, found.flow)
    deciding.lock_cases(connection, found.flow)
    case = dispositions.with_evidence(connection, number)
    assert case is not None, "a case is never removed, and always has a verdict"
    return case


def _open_cases(connection: sa.Connection, incident_id: UUID) -> list[UUID]:
    query = sa.select(cases.c.case_id).where(cases.c.incident_id == incident_id, cases.c.status == "open")
    return list(connection.execute(query).scalars())


def _proposal(
    connection: sa.Connection,
    subject_kind: approvals.SubjectKind,
    subject_id: UUID,
    approver: str,
    evidence_hash: str,
    now: datetime,
) -> sa.Row[Any]:
    """The open proposal, if this person may decide it and has seen what it says."""
    proposal = approvals.open_proposal(connection, subject_kind, subject_id)
    if proposal is None:
        raise NotAllowed("nothing is proposed")
    if proposal.maker == approver:
        raise NotAllowed("whoever proposes does not approve")
    if proposal.evidence_hash != evidence_hash:
        raise ChangedSinceSeen("another proposal stands there now")
    if proposal.expires_at <= now:
        raise Expired(f"the proposal was open until {proposal.expires_at.isoformat()}")
    return proposal


def _refuse_second(connection: sa.Connection, subject_kind: approvals.SubjectKind, subject_id: UUID) -> None:
    if approvals.open_proposal(connection, subject_kind, subject_id) is not None:
        raise NotAllowed("it is proposed already")


def _refuse_unpayable(connection: sa.Connection, case: sa.Row[Any]) -> None:
    if case.status != "open" or case.kind not in OWING or case.owed_minor <= 0:
        raise NotAllowed(f"nothing can be paid for it: it is {case.status}, {case.kind}")
    query = sa.select(intents.c.status).where(intents.c.case_id == case.case_id, intents.c.component == "recredit")
    remedy = connection.execute(query).scalar_one_or_none()
    if remedy not in {None, "awaiting_approval"}:
        raise NotAllowed(f"its re-credit is {remedy} already")


def _incident_terms(
    incident: sa.Row[Any], cause: str, max_count: int, max_minor: int, policy_version: str
) -> dict[str, Any]:
    """What an approval of an incident is bound to. Its cases come and go as originals land late: the maximum binds them."""
    return {
        "incident_id": str(incident.incident_id),
        "flow": incident.flow,
        "scope": incident.scope,
        "cause": cause,
        "asset": incident.asset,
        "max_count": max_count,
        "max_minor": max_minor,
        "used_count": incident.used_count,
        "used_minor": incident.used_minor,
        "policy_version": policy_version,
    }


def _breaker_terms(connection: sa.Connection, flow: str) -> dict[str, Any]:
    why = breaker.why_open(connection, flow)
    if why is None:
        raise NotAllowed(f"the breaker of {flow} is closed")
    return {"flow": flow, "open": why}
