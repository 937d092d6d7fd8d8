"""The incident of a feed that stopped: of the feed, not of its customers, who are told nothing about it.

It asks for no approval and covers no case. It is opened by the first run that sees the feed stopped, says in its scope what
the feed waits for, and is closed by the first run that sees it keep up again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconcile.cases.incidents import next_number
from reconcile.domain import ids
from reconcile.store import audit
from reconcile.store.tables import incidents
from reconcile.store.transitions import advance

ACTOR: Final = "job:fold_flow"


@dataclass(frozen=True, slots=True)
class Stopped:
    """A feed that has stopped. `since`: it is complete up to here; `waits`: what keeps it there, as JSON values."""

    feed: str
    side: str
    since: datetime
    waits: Mapping[str, Any]

    @property
    def scope(self) -> dict[str, Any]:
        return {"feed": self.feed, "side": self.side, "complete_through": self.since.isoformat(), **self.waits}


def watch(connection: sa.Connection, *, flow: str, stopped: Sequence[Stopped], now: datetime) -> list[UUID]:
    """Brings the open incidents of the flow's feeds up to what this run sees; returns those that it opened."""
    known = {row.scope["feed"]: row for row in connection.execute(_open_ones(flow))}
    by_feed = {one.feed: one for one in stopped}
    for feed, incident in known.items():
        if feed not in by_feed:
            _close(connection, incident, now)
        elif incident.scope != by_feed[feed].scope:
            connection.execute(
                sa.update(incidents)
                .where(incidents.c.incident_id == incident.incident_id)
                .values(scope=by_feed[feed].scope)
            )
    return [_open(connection, flow, one, now) for feed, one in by_feed.items() if feed not in known]


def _open_ones(flow: str) -> sa.Select[Any]:
    query = sa.select(incidents).where(
        incidents.c.flow == flow, incidents.c.kind == "feed", incidents.c.status != "closed"
    )
    return query.with_for_update()


def _open(connection: sa.Connection, flow: str, stopped: Stopped, now: datetime) -> UUID:
    incident_id = ids.derive("incident", flow, "feed", stopped.feed, stopped.since.isoformat(), now.isoformat())
    connection.execute(
        sa.insert(incidents).values(
            incident_id=incident_id,
            number=next_number(connection, flow, stopped.since),
            flow=flow,
            kind="feed",
            status="open",
            scope=stopped.scope,
            started_at=stopped.since,
            detected_at=now,
        )
    )
    _record(connection, incident_id, "incident opened", "a feed has stopped", stopped.scope, now)
    return incident_id


def _close(connection: sa.Connection, incident: sa.Row[Any], now: datetime) -> None:
    advance(
        connection, incidents, incident.incident_id, expected=incident.status, status="closed", ended_at=now, closed_at=now
    )  # fmt: skip
    _record(connection, incident.incident_id, "incident closed", "the feed keeps up again", {}, now)


def _record(
    connection: sa.Connection, incident_id: UUID, action: str, reason: str, evidence: Mapping[str, Any], now: datetime
) -> None:
    audit.record(
        connection,
        at=now,
        actor=ACTOR,
        action=action,
        subject=("incident", str(incident_id)),
        reason=reason,
        evidence=evidence,
    )
