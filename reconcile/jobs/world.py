from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reconcile.config import Configuration
from reconcile.domain.clock import Clock
from reconcile.store import job_runs
from reconcile.store.database import Database
from reconcile.store.lake import Lake


@dataclass(frozen=True, slots=True)
class World:
    """What every job is given: the configuration and the real parts that it names. Built in `reconcile.app` alone."""

    configuration: Configuration
    database: Database
    lake: Lake
    clock: Clock

    @contextmanager
    def job(self, name: str, subject: str = "") -> Iterator["JobRun"]:
        """Runs a job: fixes its business time at the start and, when it ends well, records that it ran."""
        run = JobRun(now=self.clock.now())
        started_at = datetime.now(UTC)
        yield run
        with self.database.begin() as connection:
            job_runs.record(
                connection, job=name, subject=subject, business_time=run.now, started_at=started_at, counts=run.counts
            )


@dataclass(slots=True)
class JobRun:
    """One run of a job. `now` is its business time throughout; `counts` is what it did, for the record."""

    now: datetime
    counts: dict[str, int] = field(default_factory=dict)
