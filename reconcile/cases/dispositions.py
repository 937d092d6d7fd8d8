"""The facts of open cases, brought to the pure decision of `domain.policy`, and what it says written down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.cases import approvals, bulk
from reconcile.domain.breaks import OWING
from reconcile.domain.policy import CaseFacts, Decision, Disposition, FlowStanding, Policy, Surroundings, decide
from reconcile.store import audit
from reconcile.store.tables import approvals as approval_rows
from reconcile.store.tables import cases, incidents, intents, verdicts

_UNDECIDED: Final = (Disposition.WAIT, Disposition.AWAIT_INCIDENT, Disposition.AWAIT_APPROVAL)
_COUNTED: Final = (Disposition.PAY, Disposition.AWAIT_APPROVAL)


@dataclass(frozen=True, slots=True)
class Decided:
    """One case with what was decided about it. `case` has the columns of `cases` and those of `_open_cases`."""

    case: sa.Row[Any]
    decision: Decision

    @property
    def case_id(self) -> UUID:
        case_id: UUID = self.case.case_id
        return case_id

    @property
    def approval_id(self) -> UUID | None:
        """The approval under which it is paid: its own, else its incident's; None when policy alone pays it."""
        if self.case.own_approval_id is not None or self.case.incident_id is None:
            approval_id: UUID | None = self.case.own_approval_id
            return approval_id
        incident_approval_id: UUID | None = self.case.incident_approval_id
        return incident_approval_id

    @property
    def still_owed(self) -> bool:
        """Whether what its intent would pay is what its newest verdict owes."""
        same = self.case.remedy_minor is None or self.case.remedy_minor == self.case.owed_minor
        return self.case.kind in OWING and self.case.owed_minor > 0 and same


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
    acts: bool = True,
    also_waiting: bool = True,
) -> list[Decided]:
    """Decides the touched cases and, unless told otherwise, all that wait for something; writes what has changed; proposes
    to people what only they may decide. `surroundings` answers for the instant at which a purchase was confirmed. `acts`:
    whether intents follow; where they do not, nothing is proposed either.
    """
    rows = _open_cases(connection, flow, touched, also_waiting=also_waiting, acts=acts)
    decided = _decide_all(rows, policy, standing, surroundings, acts=acts)
    changed = [one for one in decided if _said(one.case) != _says(one.decision)]
    bulk.update(
        connection,
        cases,
        [
            {
                "case_id": one.case_id,
                "disposition": str(one.decision.disposition),
                "disposition_reason": one.decision.reason,
                "owner": one.decision.owner,
            }
            for one in changed
        ],
        expected="open",
    )
    audit.record_all(
        connection,
        at=now,
        actor=actor,
        action="case decided",
        rows=[
            (
                ("case", str(one.case_id)),
                one.decision.reason,
                {
                    "disposition": str(one.decision.disposition),
                    "before": one.case.disposition,
                    "policy": policy.version,
                },
            )
            for one in changed
            if one.case.disposition != one.decision.disposition or one.case.disposition_reason == "not decided yet"
        ],
    )
    if acts:
        _propose(connection, decided, policy, now)
    return decided


def with_evidence(connection: sa.Connection, number: str) -> sa.Row[Any] | None:
    """The case of that number with the `evidence` of its newest verdict; None when there is none."""
    query = sa.select(cases, verdicts.c.evidence).join(verdicts, _newest_verdict()).where(cases.c.number == number)
    return connection.execute(query).one_or_none()


def case_terms(case: sa.Row[Any], policy_version: str) -> dict[str, Any]:
    """What whoever approves a case must have seen; any change of it voids the approval. `case` comes with its evidence."""
    return {
        "case_id": str(case.case_id),
        "verdict_version": case.version,
        "confirmation_ids": case.evidence["confirmation_ids"],
        "entry_ids": case.evidence["entry_ids"],
        "kind": case.kind,
        "account": case.account,
        "asset": case.asset,
        "amount_minor": case.owed_minor,
        "reference": case.reference,
        "grade": case.grade,
        "blocked": case.blocked,
        "policy_version": policy_version,
    }


def _open_cases(
    connection: sa.Connection, flow: str, touched: Sequence[UUID], *, also_waiting: bool, acts: bool
) -> list[sa.Row[Any]]:
    """The cases to decide, each with its intent, its incident's room and the approvals that hold."""
    meant = bulk.among(cases.c.case_id, touched)
    if also_waiting:
        covered = (
            cases.c.incident_id.is_not(None) & (cases.c.disposition == Disposition.PAY) & intents.c.sent_at.is_(None)
        )
        meant = sa.or_(meant, cases.c.disposition.in_(_UNDECIDED), covered)
    if also_waiting and acts:
        meant = sa.or_(meant, (cases.c.disposition == Disposition.PAY) & intents.c.intent_id.is_(None))
    own = _newest_approval("case", cases.c.case_id)
    of_incident = _newest_approval("incident", cases.c.incident_id)
    proposed = sa.exists().where(
        approval_rows.c.subject_kind == "case",
        approval_rows.c.subject_id == cases.c.case_id,
        approval_rows.c.status == "proposed",
    )
    query = (
        sa.select(
            cases,
            incidents.c.status.label("incident_status"),
            (incidents.c.max_count - incidents.c.used_count).label("room_count"),
            (incidents.c.max_minor - incidents.c.used_minor).label("room_minor"),
            intents.c.status.label("remedy"),
            intents.c.amount_minor.label("remedy_minor"),
            intents.c.sent_at.is_not(None).label("remedy_sent"),
            own.label("own_approval_id"),
            of_incident.label("incident_approval_id"),
            proposed.label("proposed"),
            verdicts.c.evidence,
        )
        .join(verdicts, _newest_verdict())
        .outerjoin(incidents, incidents.c.incident_id == cases.c.incident_id)
        .outerjoin(intents, (intents.c.case_id == cases.c.case_id) & (intents.c.component == "recredit"))
        .where(
            cases.c.flow == flow,
            cases.c.status == "open",
            meant,
        )
        # Those that are covered already keep their place in the incident's budget; then first come, first served.
        .order_by(cases.c.disposition != Disposition.PAY, cases.c.confirmed_at, cases.c.case_id)
    )
    return list(connection.execute(query.with_for_update(of=cases)))


def _newest_verdict() -> sa.ColumnElement[bool]:
    return (verdicts.c.case_id == cases.c.case_id) & (verdicts.c.version == cases.c.version)


def _newest_approval(kind: str, subject: sa.ColumnElement[UUID]) -> sa.ScalarSelect[UUID]:
    return (
        sa.select(approval_rows.c.approval_id)
        .where(
            approval_rows.c.subject_kind == kind,
            approval_rows.c.subject_id == subject,
            approval_rows.c.status == "approved",
        )
        .order_by(approval_rows.c.decided_at.desc())
        .limit(1)
        .scalar_subquery()
    )


def _decide_all(
    rows: Sequence[sa.Row[Any]],
    policy: Policy,
    standing: FlowStanding,
    surroundings: Callable[[datetime], Surroundings],
    *,
    acts: bool,
) -> list[Decided]:
    room: dict[UUID, list[int]] = {}
    decided = []
    for row in rows:
        left = room.setdefault(row.incident_id, [row.room_count or 0, row.room_minor or 0])
        facts = CaseFacts(
            kind=row.kind,
            owed_minor=row.owed_minor,
            grade=row.grade,
            blocked=row.blocked,
            incident=row.incident_status,
            covered=left[0] >= 1 and left[1] >= row.owed_minor,
            surroundings=surroundings(row.confirmed_at)
            if row.incident_id is None and row.confirmed_at is not None
            else Surroundings.CALM,
            approved=row.own_approval_id is not None,
            remedy=row.remedy,
            remedy_minor=row.remedy_minor,
            from_shadow=acts and row.disposition == Disposition.PAY and row.remedy is None,
        )
        decision = decide(facts, policy, standing)
        if decision.disposition in _COUNTED and not row.remedy_sent:
            left[0] -= 1
            left[1] -= row.owed_minor
        decided.append(Decided(row, decision))
    return decided


def _propose(connection: sa.Connection, decided: Sequence[Decided], policy: Policy, now: datetime) -> None:
    approvals.propose(
        connection,
        [
            approvals.Proposal(
                subject_kind="case",
                subject_id=one.case_id,
                maker=approvals.POLICY,
                reason=one.decision.reason,
                terms=case_terms(one.case, policy.version),
                expires_at=now + policy.approval_expires,
            )
            for one in decided
            if one.decision.disposition is Disposition.AWAIT_APPROVAL and not one.case.proposed
        ],
        now=now,
    )


def _said(case: sa.Row[Any]) -> tuple[str, str, str]:
    return case.disposition, case.disposition_reason, case.owner


def _says(decision: Decision) -> tuple[str, str, str]:
    return str(decision.disposition), decision.reason, decision.owner
