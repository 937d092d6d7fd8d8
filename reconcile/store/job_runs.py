"""What ran to its end, for health checks and for whoever waits for a tick to be done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reconcile.store.tables import job_runs


def record(
    connection: sa.Connection,
    *,
    job: str,
    subject: str,
    business_time: datetime,
    started_at: datetime,
    counts: Mapping[str, Any],
) -> None:
    """Adds one row; `started_at` is machine time, `counts` holds numbers only."""
    connection.execute(
        sa.insert(job_runs).values(
            job=job,
            subject=subject,
            business_time=business_time,
            started_at=started_at,
            finished_at=sa.func.clock_timestamp(),
            counts=dict(counts),
        )
    )


def finished(connection: sa.Connection, job: str, business_time: datetime) -> bool:
    """Whether `job` has run to its end at this business time or later."""
    query = sa.select(sa.literal(1)).where(job_runs.c.job == job, job_runs.c.business_time >= business_time).limit(1)
    return connection.execute(query).first() is not None
