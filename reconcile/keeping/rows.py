"""Rows whose time is up: removed, or emptied of what somebody wrote."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa

from reconcile.keeping.house import ROWS_AT_ONCE, House, Swept
from reconcile.store.tables import contacts, holds, job_runs, notices, quarantine, sessions

_UNDER_WAY: Final = ("planned", "submitting")


def sweep(house: House) -> Iterator[Swept]:
    """Quarantined text that is settled, texts of notices, contacts, records of jobs, sessions that are over."""
    keep, now = house.retention, house.now
    held = sa.select(holds.c.account)
    yield _emptied(
        house, "quarantined texts", quarantine,
        (quarantine.c.status != "held") & (quarantine.c.resolved_at < now - keep.quarantine)
        & (quarantine.c.raw != "") & _not_in(quarantine.c.account, held),
        {"raw": "", "account": None},
    )  # fmt: skip
    yield _emptied(
        house, "texts of notices", notices,
        notices.c.status.not_in(_UNDER_WAY) & (notices.c.planned_at < now - keep.notices)
        & notices.c.text.is_not(None) & _not_in(notices.c.facts["payer"].astext, held),
        {"text": None},
    )  # fmt: skip
    yield _removed(
        house, "contacts", contacts, (contacts.c.at < now - keep.contacts) & _not_in(contacts.c.account, held)
    )
    newest = sa.select(sa.func.max(job_runs.c.job_run_id)).group_by(job_runs.c.job, job_runs.c.subject)
    yield _removed(
        house,
        "records of jobs",
        job_runs,
        (job_runs.c.business_time < now - keep.job_runs) & job_runs.c.job_run_id.not_in(newest),
    )
    yield _removed(house, "sessions that are over", sessions, sessions.c.expires_at < sa.func.clock_timestamp())


def _not_in(column: sa.ColumnElement[Any], accounts: sa.Select[Any]) -> sa.ColumnElement[bool]:
    return column.is_(None) | column.not_in(accounts)


def _emptied(house: House, what: str, table: sa.Table, due: sa.ColumnElement[bool], values: Mapping[str, Any]) -> Swept:
    return _in_parts(house, what, table, due, lambda which: sa.update(table).where(which).values(**values))


def _removed(house: House, what: str, table: sa.Table, due: sa.ColumnElement[bool]) -> Swept:
    return _in_parts(house, what, table, due, lambda which: sa.delete(table).where(which))


def _in_parts(house: House, what: str, table: sa.Table, due: sa.ColumnElement[bool], change: Any) -> Swept:
    (key,) = table.primary_key.columns
    if house.dry:
        with house.database.begin() as connection:
            return Swept(what, connection.execute(sa.select(sa.func.count()).where(due)).scalar_one())
    some = sa.select(key).where(due).limit(ROWS_AT_ONCE).with_for_update(skip_locked=True).scalar_subquery()
    done = 0
    while True:
        with house.database.begin() as connection:
            changed = connection.execute(change(key.in_(some))).rowcount
        done += changed
        if changed < ROWS_AT_ONCE:
            return Swept(what, done)
