"""Which mode a flow is in, and the limits that were activated with it. Absent means stopped."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, Self

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.config import Flow, Policy
from reconcile.store import audit
from reconcile.store.tables import flow_modes

PAYING: Final = frozenset({"canary", "live"})
"""The modes in which money may move."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The money keys of a flow's policy, in minor units of its asset."""

    max_amount_minor: int
    max_per_customer_day_minor: int
    max_per_hour_minor: int
    max_per_day_minor: int

    @classmethod
    def of(cls, flow: Flow, policy: Policy) -> Self:
        unit = flow.unit
        return cls(
            max_amount_minor=policy.minor("max_amount", unit),
            max_per_customer_day_minor=policy.minor("max_per_customer_day", unit),
            max_per_hour_minor=policy.minor("max_per_hour", unit),
            max_per_day_minor=policy.minor("max_per_day", unit),
        )

    @property
    def version(self) -> str:
        """Short digest of the limits: what a decision was made under."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Mode:
    """A flow's mode in force, with the limits that hold in it."""

    name: str
    limits: Limits
    policy_version: str

    @property
    def pays(self) -> bool:
        return self.name in PAYING


def activate(
    connection: sa.Connection, *, flow: str, mode: str, limits: Limits, actor: str, reason: str, now: datetime
) -> None:
    """Puts a mode and its limits into force; the difference goes into the audit."""
    before = connection.execute(sa.select(flow_modes).where(flow_modes.c.flow == flow)).mappings().first()
    values = {
        "mode": mode,
        "policy": asdict(limits),
        "policy_version": limits.version,
        "activated_by": actor,
        "activated_at": now,
    }
    connection.execute(
        insert(flow_modes).values(flow=flow, **values).on_conflict_do_update(index_elements=["flow"], set_=values)
    )
    audit.record(
        connection,
        at=now,
        actor=actor,
        action="mode activated",
        subject=("flow", flow),
        reason=reason,
        evidence={
            "from": {"mode": before["mode"], "policy": before["policy"]} if before else None,
            "to": {"mode": mode, "policy": asdict(limits)},
        },
    )


def stop(connection: sa.Connection, *, flow: str, actor: str, reason: str, now: datetime) -> None:
    """The kill switch: one person may always stop. Workers read the mode before each send."""
    connection.execute(
        sa.update(flow_modes)
        .where(flow_modes.c.flow == flow)
        .values(mode="stopped", activated_by=actor, activated_at=now)
    )
    audit.record(connection, at=now, actor=actor, action="flow stopped", subject=("flow", flow), reason=reason)


def read(connection: sa.Connection, flow: str) -> Mode | None:
    """The mode in force, or None when none was ever activated, which means stopped."""
    row = connection.execute(sa.select(flow_modes).where(flow_modes.c.flow == flow)).mappings().first()
    if row is None:
        return None
    return Mode(name=row["mode"], limits=Limits(**row["policy"]), policy_version=row["policy_version"])
