"""One cause behind many cases: found, watched until credits come again, settled, closed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.cases import approvals, breaker
from reconcile.cases.verdicts import ACTOR
from reconcile.domain import ids, surge
from reconcile.domain.breaks import OWING, BreakKind
from reconcile.domain.policy import AUTOMATIC, Disposition
from reconcile.domain.surge import Curve, Elsewhere, SurgeRules
from reconcile.store import audit
from reconcile.store.tables import batches, cases, incidents, intents
from reconcile.store.transitions import advance

_ON_ITS_WAY: Final = ("reserved", "executing", "credited", "verified", "escalated")
_USUAL: Final = timedelta(days=1)
"""How far back it is looked what number of unread ledger rows is usual."""
_LATE: Final = (BreakKind.LATE_CREDIT, BreakKind.OVER_CREDITED)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one run can see. `ledger_until`: the ledger is complete up to here. `judged_until`: every purchase that was
    confirmed before has its verdict. `now`: the run's business time.
    """

    curve: Curve
    ledger_until: datetime
    judged_until: datetime
    now: datetime


def watch(connection: sa.Connection, *, flow: str, asset: str, sight: Sight, rules: SurgeRules) -> sa.Row[Any] | None:
    """Brings the flow's incident up to what this run sees, opening or closing it; returns the open one, or None."""
    _let_go(connection, flow, sight.now)
    incident = current(connection, flow)
    if incident is not None:
        _attach(connection, flow, incident, sight.now)
        incident = _advance(connection, incident, sight, rules)
    started_at = _surge(connection, flow, sight, rules)
    if started_at is not None:
        incident = (
            _reopen(connection, incident, started_at, sight.now)
            if incident
            else _open(connection, flow, asset, started_at, sight.now)
        )
        _attach(connection, flow, incident, sight.now)
    if incident is not None and incident.status == "open":
        _recognise(connection, incident, sight, rules)
    return incident


def ask_again(connection: sa.Connection, *, flow: str, now: datetime) -> None:
    """An approval that is used up, while later cases wait: the incident can be proposed again.

    Not before all that it covers is sent, since an incident that is not approved lets nothing through.
    """
    incident = current(connection, flow)
    if incident is None or incident.status != "approved":
        return
    unsent = ~sa.exists().where(intents.c.case_id == cases.c.case_id, intents.c.sent_at.is_not(None))
    waiting, covered = connection.execute(
        sa.select(
            sa.func.count().filter(cases.c.disposition == Disposition.AWAIT_INCIDENT),
            sa.func.count().filter((cases.c.disposition == Disposition.PAY) & unsent),
        ).where(cases.c.incident_id == incident.incident_id, cases.c.status == "open")
    ).one()
    if waiting and not covered:
        advance(connection, incidents, incident.incident_id, expected="approved", status="recovered")
        reason = f"its approval is used up, and {waiting} more cases wait"
        _record(connection, now, incident.incident_id, "incident recovered", reason, {"waiting": waiting})


def current(connection: sa.Connection, flow: str) -> sa.Row[Any] | None:
    """The flow's incident that is not closed, locked; the schema allows one."""
    query = sa.select(incidents).where(
        incidents.c.flow == flow, incidents.c.kind == "credits", incidents.c.status != "closed"
    )
    return connection.execute(query.with_for_update()).one_or_none()


def next_number(connection: sa.Connection, flow: str, started_at: datetime) -> str:
    """The number of the next incident of a flow that began on that day; the caller holds the flow."""
    prefix = f"{flow.upper()}-{started_at:%y%m%d}-"
    count = connection.execute(
        sa.select(sa.func.count()).where(incidents.c.number.startswith(prefix, autoescape=True))
    ).scalar_one()
    return f"{prefix}{count + 1}"


def loose(flow: str) -> sa.Select[Any]:
    """Open cases of the flow that are owed something, belong to no incident, and whose credit is not on its way."""
    on_its_way = sa.exists().where(intents.c.case_id == cases.c.case_id, intents.c.status.in_(_ON_ITS_WAY))
    return sa.select(cases.c.case_id, cases.c.confirmed_at).where(
        cases.c.flow == flow,
        cases.c.status == "open",
        cases.c.owed_minor > 0,
        cases.c.kind.in_(OWING),
        cases.c.confirmed_at.is_not(None),
        cases.c.incident_id.is_(None),
        ~on_its_way,
    )


def _surge(connection: sa.Connection, flow: str, sight: Sight, rules: SurgeRules) -> datetime | None:
    broken_at = [row.confirmed_at for row in connection.execute(loose(flow))]
    return surge.find_surge(broken_at, sight.curve, rules) if len(broken_at) >= rules.cases else None


def _open(connection: sa.Connection, flow: str, asset: str, started_at: datetime, now: datetime) -> sa.Row[Any]:
    # The run is part of the name: the same minutes can break a second time, when a delivery is withdrawn.
    incident_id = ids.derive("incident", flow, started_at.isoformat(), now.isoformat())
    connection.execute(
        sa.insert(incidents).values(
            incident_id=incident_id,
            number=next_number(connection, flow, started_at),
            flow=flow,
            kind="credits",
            status="open",
            scope={"flow": flow, "confirmed_from": started_at.isoformat()},
            started_at=started_at,
            detected_at=now,
            asset=asset,
        )
    )
    _record(
        connection,
        now,
        incident_id,
        "incident opened",
        "many purchases close together were not credited",
        {"started_at": started_at.isoformat()},
    )
    return _read(connection, incident_id)


def _attach(connection: sa.Connection, flow: str, incident: sa.Row[Any], now: datetime) -> None:
    """Takes the loose cases of its scope into the incident, nothing of theirs was sent; and those whose original landed so
    late that this run both opened and closed them: they were hit as well.
    """
    until = sa.true() if incident.ended_at is None else cases.c.confirmed_at < incident.ended_at
    owed = cases.c.case_id.in_(loose(flow).with_only_columns(cases.c.case_id))
    just_settled = (cases.c.kind == BreakKind.LATE_CREDIT) & (cases.c.closed_at == now) & cases.c.incident_id.is_(None)
    case_ids = connection.execute(
        sa.update(cases)
        .where(cases.c.flow == flow, sa.or_(owed, just_settled), cases.c.confirmed_at >= incident.started_at, until)
        .values(incident_id=incident.incident_id)
        .returning(cases.c.case_id)
    ).scalars()
    audit.record_all(
        connection,
        at=now,
        actor=ACTOR,
        action="case joined incident",
        rows=[
            (("case", str(case_id)), f"part of {incident.number}", {"incident_id": str(incident.incident_id)})
            for case_id in case_ids
        ],
    )


def _let_go(connection: sa.Connection, flow: str, now: datetime) -> None:
    """A case that is owed something again after its incident was closed stands alone: that approval is history."""
    closed = sa.select(incidents.c.incident_id).where(incidents.c.flow == flow, incidents.c.status == "closed")
    left = connection.execute(
        sa.update(cases)
        .where(cases.c.flow == flow, cases.c.status == "open", cases.c.owed_minor > 0, cases.c.incident_id.in_(closed))
        .values(incident_id=None)
        .returning(cases.c.case_id)
    ).scalars()
    audit.record_all(
        connection,
        at=now,
        actor=ACTOR,
        action="case left incident",
        rows=[(("case", str(case_id)), "owed again after the incident was closed", {}) for case_id in left],
    )


def _advance(connection: sa.Connection, incident: sa.Row[Any], sight: Sight, rules: SurgeRules) -> sa.Row[Any] | None:
    """One step along the incident's life, as far as this run's sight allows. None once it is closed."""
    mine = cases.c.incident_id == incident.incident_id
    owed, last_hit_at, last_late_at = connection.execute(
        sa.select(
            sa.func.count().filter(cases.c.status == "open", cases.c.owed_minor > 0),
            sa.func.max(cases.c.confirmed_at),
            sa.func.max(cases.c.credited_at).filter(cases.c.kind.in_(_LATE)),
        ).where(mine)
    ).one()
    ended_at = incident.ended_at
    if incident.status == "open":
        ended_at = surge.recovered_since(incident.started_at, sight.judged_until, sight.curve, rules)
        # The curve dates the end of a dip; cases that it does not show, in busy traffic, belong to it all the same.
        if ended_at is not None and last_hit_at is not None:
            ended_at = max(ended_at, surge.minute_of(last_hit_at) + surge.MINUTE)
    if ended_at is None:
        return incident
    if incident.status in {"open", "recovered"}:
        settle_until = surge.settled_from(ended_at, last_late_at, rules)
        incident = _settle(connection, incident, ended_at, settle_until, sight)
    if owed == 0:
        _close(connection, incident, sight.now)
        return None
    return incident


def _settle(
    connection: sa.Connection, incident: sa.Row[Any], ended_at: datetime, settle_until: datetime, sight: Sight
) -> sa.Row[Any]:
    """`recovered` once the ledger is complete past `settle_until`; back to `open` when a late original landed since."""
    settled = sight.ledger_until >= settle_until
    status = "recovered" if settled else "open"
    values = {
        "ended_at": ended_at,
        "settle_until": settle_until,
        "scope": {**incident.scope, "confirmed_until": ended_at.isoformat()},
    }
    changed = status != incident.status or settle_until != incident.settle_until or ended_at != incident.ended_at
    if not changed:
        return incident
    if status != incident.status:
        advance(connection, incidents, incident.incident_id, expected=incident.status, status=status, **values)
        reason = (
            "credits follow confirmations again, and no late original landed since"
            if settled
            else "late originals still land"
        )
        _record(
            connection,
            sight.now,
            incident.incident_id,
            f"incident {status}",
            reason,
            {"ended_at": ended_at.isoformat(), "settle_until": settle_until.isoformat()},
        )
    else:
        connection.execute(sa.update(incidents).where(incidents.c.incident_id == incident.incident_id).values(**values))
    if not settled:
        approvals.void(
            connection, "incident", [incident.incident_id], now=sight.now, reason="late originals still land"
        )
    return _read(connection, incident.incident_id)


def _reopen(connection: sa.Connection, incident: sa.Row[Any], started_at: datetime, now: datetime) -> sa.Row[Any]:
    """A second surge before the first is closed: one incident goes on, its end forgotten, its approval out of force."""
    started_at = min(started_at, incident.started_at)
    steps = {"approved": ("recovered", "open"), "recovered": ("open",), "open": ()}[incident.status]
    status = incident.status
    for step in steps:
        advance(connection, incidents, incident.incident_id, expected=status, status=step)
        status = step
    scope = {"flow": incident.flow, "confirmed_from": started_at.isoformat()}
    connection.execute(
        sa.update(incidents)
        .where(incidents.c.incident_id == incident.incident_id)
        .values(started_at=started_at, ended_at=None, settle_until=None, scope=scope)
    )
    approvals.void(connection, "incident", [incident.incident_id], now=now, reason="another surge began")
    _record(connection, now, incident.incident_id, "incident reopened", "another surge began", {})
    return _read(connection, incident.incident_id)


def _close(connection: sa.Connection, incident: sa.Row[Any], now: datetime) -> None:
    advance(connection, incidents, incident.incident_id, expected=incident.status, status="closed", closed_at=now)
    approvals.void(
        connection, "incident", [incident.incident_id], now=now, reason="nobody in it is owed anything any more"
    )
    _record(connection, now, incident.incident_id, "incident closed", "nobody in it is owed anything any more", {})


def _recognise(connection: sa.Connection, incident: sa.Row[Any], sight: Sight, rules: SurgeRules) -> None:
    """Opens the breaker when the surge does not look like an outage; looked at again in each run until it is over."""
    missing, elsewhere = _elsewhere(connection, incident)
    until = incident.ended_at or sight.judged_until
    seen = surge.recognise(incident.started_at, until, sight.curve, missing, elsewhere, rules)
    if not seen.recognised and not breaker.was_reset(connection, incident.flow, incident.detected_at):
        breaker.trip(connection, flow=incident.flow, reason=seen.reason, now=sight.now)


def _elsewhere(connection: sa.Connection, incident: sa.Row[Any]) -> tuple[int, Elsewhere]:
    """How many cases the incident has, and what hints that their money is somewhere else."""
    mine = cases.c.incident_id == incident.incident_id
    hinted = sa.or_(cases.c.blocked.is_not(None), cases.c.kind.not_in(AUTOMATIC)) & (cases.c.owed_minor > 0)
    missing, doubtful = connection.execute(sa.select(sa.func.count(), sa.func.count().filter(hinted)).where(mine)).one()
    orphans = connection.execute(
        sa.select(sa.func.count()).where(
            cases.c.flow == incident.flow,
            cases.c.status == "open",
            cases.c.kind == BreakKind.ORPHAN_CREDIT,
            cases.c.credited_at >= incident.started_at,
        )
    ).scalar_one()
    unread = _unread_rows(connection, incident.flow, incident.started_at)
    return missing, Elsewhere(breaks=doubtful + orphans, unread_rows=unread)


def _unread_rows(connection: sa.Connection, flow: str, started_at: datetime) -> int:
    """Ledger rows left out or quarantined since then, beyond what the day before would lead one to expect."""
    through = sa.func.coalesce(batches.c.complete_through, batches.c.landed_at)
    unread = batches.c.quarantined_rows + batches.c.out_of_scope_rows

    def total(rows: sa.ColumnElement[int], side: str, when: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(rows).filter(batches.c.side == side, when), 0)

    before, since = through <= started_at, through > started_at
    row = connection.execute(
        sa.select(
            total(unread, "ledger", since).label("unread"),
            total(unread, "ledger", before).label("unread_before"),
            total(batches.c.published_rows, "confirmation", since).label("confirmed"),
            total(batches.c.published_rows, "confirmation", before).label("confirmed_before"),
        ).where(batches.c.flow == flow, batches.c.status == "published", through > started_at - _USUAL)
    ).one()
    usual = row.unread_before * row.confirmed // row.confirmed_before if row.confirmed_before else 0
    return max(0, int(row.unread) - int(usual))


def _read(connection: sa.Connection, incident_id: UUID) -> sa.Row[Any]:
    return connection.execute(sa.select(incidents).where(incidents.c.incident_id == incident_id)).one()


def _record(
    connection: sa.Connection, now: datetime, incident_id: UUID, action: str, reason: str, evidence: dict[str, Any]
) -> None:
    audit.record(
        connection, at=now, actor=ACTOR, action=action, subject=("incident", str(incident_id)), reason=reason,
        evidence=evidence,
    )  # fmt: skip
