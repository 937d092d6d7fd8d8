"""From verdicts to cases: opened, changed, closed, reopened."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.cases import bulk
from reconcile.cases.verdict import Verdict
from reconcile.domain.ids import case_number
from reconcile.store import audit, instance
from reconcile.store.tables import cases, verdicts

ACTOR: Final = "job:fold_flow"
NUMBER_SECRET: Final = "case-number-secret"  # noqa: S105 - the name of a secret, not the secret
NUMBER_RETRIES_MAX: Final = 10


@dataclass(slots=True)
class Applied:
    """What the verdicts of one run did to cases, by id."""

    opened: list[UUID] = field(default_factory=list)
    changed: list[UUID] = field(default_factory=list)
    reopened: list[UUID] = field(default_factory=list)
    remedied: list[UUID] = field(default_factory=list)
    self_settled: list[UUID] = field(default_factory=list)

    @property
    def touched(self) -> list[UUID]:
        """Cases whose disposition must be decided (again)."""
        return [*self.opened, *self.changed, *self.reopened]

    @property
    def closed(self) -> list[UUID]:
        return [*self.remedied, *self.self_settled]


def apply(connection: sa.Connection, *, flow: str, run_id: UUID, now: datetime, rows: Sequence[Verdict]) -> Applied:
    """Writes each verdict as a new version of its case; the caller holds the flow's lock and its run pointer.

    A case that the fold has forgotten, because it closed long ago, goes on from its own last version.
    """
    applied = Applied()
    if not rows:
        return applied
    found = _known(connection, [row.break_id for row in rows])
    known = {case_id: status for case_id, (status, _) in found.items()}
    rows = [replace(row, version=max(row.version, found.get(row.break_id, ("", 0))[1] + 1)) for row in rows]
    new = [row for row in rows if row.break_id not in known]
    old = [row for row in rows if row.break_id in known]
    _insert(connection, flow, now, new)
    _update(connection, old)
    connection.execute(sa.insert(verdicts), [_version(row, run_id, now) for row in rows])

    applied.opened = [row.break_id for row in new if not row.closes]
    applied.reopened = [row.break_id for row in old if known[row.break_id] == "closed" and not row.closes]
    applied.changed = [row.break_id for row in old if known[row.break_id] == "open" and not row.closes]
    closing = [row for row in rows if row.closes and known.get(row.break_id, "open") == "open"]
    applied.remedied = [row.break_id for row in closing if row.own_minor > 0]
    applied.self_settled = [row.break_id for row in closing if row.own_minor <= 0]
    _reopen(connection, applied.reopened)
    _close(connection, applied, now)
    _record(connection, now, rows, applied)
    return applied


def credited_by_us(connection: sa.Connection, verified: Sequence[tuple[UUID, datetime]]) -> None:
    """Our credits that the ledger shows: the instant of each is when its customer was made whole."""
    rows = [{"case_id": case_id, "credited_at": posted_at} for case_id, posted_at in verified]
    bulk.update(connection, cases, rows)


def _known(connection: sa.Connection, case_ids: Sequence[UUID]) -> dict[UUID, tuple[str, int]]:
    """Status and version of those of the cases that there are."""
    which = bulk.among(cases.c.case_id, case_ids)
    query = sa.select(cases.c.case_id, cases.c.status, cases.c.version).where(which).with_for_update()
    return {row.case_id: (row.status, row.version) for row in connection.execute(query)}


def _insert(connection: sa.Connection, flow: str, now: datetime, rows: Sequence[Verdict]) -> None:
    if not rows:
        return
    numbers = _numbers(connection, [row.break_id for row in rows])
    connection.execute(
        sa.insert(cases),
        [
            {
                "case_id": row.break_id,
                "number": numbers[row.break_id],
                "flow": flow,
                "status": "open",
                "detected_at": now,
                "disposition": "wait",
                "disposition_reason": "not decided yet",
                "owner": "policy",
                **_facts(row),
            }
            for row in rows
        ],
    )


def _numbers(connection: sa.Connection, case_ids: Sequence[UUID]) -> dict[UUID, str]:
    """A number for each case that no other case has: a rare collision counts `retry` up."""
    secret = instance.secret(connection, NUMBER_SECRET)
    numbers: dict[UUID, str] = {}
    waiting = sorted(case_ids)
    for retry in range(NUMBER_RETRIES_MAX):
        drawn = {case_id: case_number(case_id, secret, retry) for case_id in waiting}
        taken = set(
            connection.execute(sa.select(cases.c.number).where(bulk.among(cases.c.number, [*drawn.values()]))).scalars()
        )
        taken.update(numbers.values())
        for case_id, number in drawn.items():
            if number not in taken:
                numbers[case_id] = number
                taken.add(number)
        waiting = [case_id for case_id in waiting if case_id not in numbers]
        if not waiting:
            return numbers
    raise RuntimeError(f"no free case number for {len(waiting)} cases after {NUMBER_RETRIES_MAX} draws")


def _update(connection: sa.Connection, rows: Sequence[Verdict]) -> None:
    bulk.update(connection, cases, [{"case_id": row.break_id, **_facts(row)} for row in rows])


def _facts(row: Verdict) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "version": row.version,
        "account": row.account,
        "payer": row.payer,
        "reference": row.reference,
        "message_id": row.message_id,
        "product": row.product,
        "asset": row.asset,
        "confirmed_minor": row.confirmed_minor,
        "owed_minor": row.owed_minor,
        "confirmed_at": row.confirmed_at,
        "deadline_at": row.deadline_at,
        "decidable_at": row.decidable_at,
        "credited_at": row.credited_at,
        "grade": row.grade,
        "blocked": row.blocked,
    }


def _version(row: Verdict, run_id: UUID, now: datetime) -> dict[str, Any]:
    return {
        "case_id": row.break_id,
        "version": row.version,
        "kind": row.kind,
        "credited_minor": row.credited_minor,
        "own_minor": row.own_minor,
        "owed_minor": row.owed_minor,
        "evidence": {
            **row.evidence,
            "confirmation_ids": list(row.confirmation_ids),
            "entry_ids": list(row.entry_ids),
        },
        "run_id": run_id,
        "at": now,
    }


def _reopen(connection: sa.Connection, case_ids: Sequence[UUID]) -> None:
    bulk.move(connection, cases, case_ids, expected="closed", status="open", closed_at=None)


def _close(connection: sa.Connection, applied: Applied, now: datetime) -> None:
    for case_ids, status, reason in (
        (applied.remedied, "remedied", "our credit is on the ledger"),
        (applied.self_settled, "self_settled", "the ledger shows what was confirmed"),
    ):
        bulk.move(
            connection, cases, case_ids, expected="open", status=status,
            disposition="done", disposition_reason=reason, owner="policy",
        )  # fmt: skip
        bulk.move(connection, cases, case_ids, expected=status, status="closed", closed_at=now)


def _record(connection: sa.Connection, now: datetime, rows: Sequence[Verdict], applied: Applied) -> None:
    by_id = {row.break_id: row for row in rows}
    late = [case_id for case_id in applied.self_settled if by_id[case_id].version == 1]
    for action, case_ids, reason in (
        ("case opened", [*applied.opened, *late], "a new break"),
        ("case reopened", applied.reopened, "a new verdict after it was closed"),
        ("case changed", applied.changed, "a new verdict"),
        ("case remedied", applied.remedied, "our credit is on the ledger"),
        ("case self_settled", applied.self_settled, "the ledger shows what was confirmed"),
    ):
        audit.record_all(
            connection,
            at=now,
            actor=ACTOR,
            action=action,
            rows=[(("case", str(case_id)), reason, _evidence(by_id[case_id])) for case_id in case_ids],
        )


def _evidence(row: Verdict) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "version": row.version,
        "owed_minor": row.owed_minor,
        "asset": row.asset,
        "entry_ids": [*row.entry_ids],
    }
