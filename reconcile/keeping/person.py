"""A customer in the tables: what forbids erasure, and what it changes. Neither looks at files."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from reconcile.domain.traces import Traces
from reconcile.store import accounts, audit
from reconcile.store.tables import (
    approvals,
    attempts,
    batches,
    cases,
    contacts,
    directory,
    holds,
    intents,
    notices,
    promises,
    quarantine,
)

PAID_OR_NOT: Final = ("verified", "void", "rejected", "expired")
"""Intents of which nothing more is to come."""


def hold(connection: sa.Connection, account: str, *, actor: str, reason: str, now: datetime) -> None:
    """From now on nothing of this account is erased."""
    row = insert(holds).values(account=account, reason=reason, placed_by=actor, placed_at=now)
    connection.execute(row.on_conflict_do_nothing())
    _record(connection, account, actor, "legal hold placed", reason, now, {})


def release(connection: sa.Connection, account: str, *, actor: str, reason: str, now: datetime) -> bool:
    """Ends a legal hold; False when there is none."""
    if connection.execute(sa.delete(holds).where(holds.c.account == account)).rowcount == 0:
        return False
    _record(connection, account, actor, "legal hold released", reason, now, {})
    return True


def suppress(connection: sa.Connection, account: str, *, actor: str, reason: str, now: datetime) -> None:
    """From now on nothing is sent to this number."""
    accounts.suppress(connection, account, reason=reason, now=now)
    _record(connection, account, actor, "notices suppressed", reason, now, {})


def obstacles(connection: sa.Connection, account: str, traces: Traces) -> Iterator[str]:
    """Why nothing of this account may be erased now, one sentence each."""
    reason = connection.execute(sa.select(holds.c.reason).where(holds.c.account == account)).scalar_one_or_none()
    if reason is not None:
        yield f"a legal hold stands: {reason}"
    mine = _cases(account)
    for count, what in (
        (_count(connection, cases, _of_account(account) & (cases.c.status != "closed")), "cases are open"),
        (
            _count(
                connection,
                intents,
                (intents.c.case_id.in_(mine) | (intents.c.account == account)) & intents.c.status.not_in(PAID_OR_NOT),
            ),
            "remedies are under way",
        ),
        (
            _count(connection, notices, _told(account) & notices.c.status.in_(("planned", "submitting"))),
            "notices are still to be sent",
        ),
        (
            _count(connection, promises, promises.c.case_id.in_(mine) & (promises.c.status == "open")),
            "promises are open",
        ),
        (
            _count(connection, approvals, approvals.c.subject_id.in_(mine) & (approvals.c.status == "proposed")),
            "proposals wait for their approver",
        ),
        (
            _count(connection, quarantine, _kept_back(account, traces) & (quarantine.c.status == "held")),
            "rows are held in quarantine",
        ),
    ):
        if count:
            yield f"{count} {what}"


def erase(connection: sa.Connection, account: str, traces: Traces) -> dict[str, int]:
    """Puts the pseudonym in the place of the number, in one transaction; returns how many rows of each table changed."""
    name = accounts.pseudonym(connection, account)
    opted_out = connection.execute(
        sa.delete(directory)
        .where(directory.c.account == account)
        .returning(directory.c.opted_out, directory.c.updated_at)
    ).one_or_none()
    if opted_out is not None and opted_out.opted_out:
        accounts.suppress(connection, account, reason="opted out before erasure", now=opted_out.updated_at)
    paid = sa.select(intents.c.intent_id).where(intents.c.account == account)
    facts: sa.ColumnElement[Any] = notices.c.facts
    for person in ("account", "payer"):
        facts = sa.case((notices.c.facts[person].astext == account, _with(facts, person, name)), else_=facts)
    changes: tuple[tuple[str, sa.Update], ...] = (
        ("attempts", sa.update(attempts).where(attempts.c.intent_id.in_(paid)).values(payload=b"", payload_sha256="")),
        ("intents", sa.update(intents).where(intents.c.account == account).values(account=name)),
        (
            "approvals",
            sa.update(approvals)
            .where(approvals.c.terms["account"].astext == account)
            .values(terms=_with(approvals.c.terms, "account", name)),
        ),
        (
            "notices",
            sa.update(notices)
            .where(_told(account))
            .values(
                text=None,
                recipient=sa.case((notices.c.facts["payer"].astext == account, name), else_=notices.c.recipient),
                facts=facts,
            ),
        ),
        (
            "cases",
            sa.update(cases)
            .where(_of_account(account))
            .values(
                account=sa.case((cases.c.account == account, name), else_=cases.c.account),
                payer=sa.case((cases.c.payer == account, name), else_=cases.c.payer),
            ),
        ),
        ("contacts", sa.update(contacts).where(contacts.c.account == account).values(account=name)),
        # The keys of a directory's rows are the accounts themselves; without its range a batch is only compared less.
        (
            "batches",
            sa.update(batches)
            .where(
                batches.c.first_key.regexp_match(traces.expression) | batches.c.last_key.regexp_match(traces.expression)
            )
            .values(first_key=None, last_key=None),
        ),
        ("quarantine", sa.update(quarantine).where(_kept_back(account, traces)).values(raw="", account=None)),
    )
    counts = {table: connection.execute(change).rowcount for table, change in changes}
    return {**counts, "directory": 0 if opted_out is None else 1}


def begun(connection: sa.Connection, account: str, *, actor: str, reason: str, now: datetime) -> None:
    """What is erased is erased whatever becomes of this worker: that it began is on record."""
    _record(connection, account, actor, "erasure begun", reason, now, {})


def done(
    connection: sa.Connection, account: str, *, actor: str, reason: str, now: datetime, counts: dict[str, int]
) -> None:
    """Nothing of the number is left."""
    _record(connection, account, actor, "erased", reason, now, counts)


def _record(
    connection: sa.Connection,
    account: str,
    actor: str,
    action: str,
    reason: str,
    now: datetime,
    evidence: dict[str, int],
) -> None:
    """The audit names an account by its keyed hash."""
    audit.record(
        connection, at=now, actor=actor, action=action, subject=("account", accounts.hashed(connection, account)),
        reason=reason, evidence=evidence,
    )  # fmt: skip


def _of_account(account: str) -> sa.ColumnElement[bool]:
    return (cases.c.account == account) | (cases.c.payer == account)


def _cases(account: str) -> sa.Select[Any]:
    return sa.select(cases.c.case_id).where(_of_account(account))


def _told(account: str) -> sa.ColumnElement[bool]:
    told: sa.ColumnElement[bool] = (
        notices.c.case_id.in_(_cases(account))
        & ((notices.c.facts["payer"].astext == account) | (notices.c.facts["account"].astext == account))
    ) | (notices.c.recipient == account)
    return told


def _kept_back(account: str, traces: Traces) -> sa.ColumnElement[bool]:
    return (quarantine.c.account == account) | quarantine.c.raw.regexp_match(traces.expression)


def _with(column: Any, key: str, value: str) -> sa.ColumnElement[Any]:
    return sa.func.jsonb_set(column, f"{{{key}}}", sa.cast(sa.literal(value, JSONB), JSONB), type_=JSONB)


def _count(connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool]) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table).where(which)).scalar_one())
