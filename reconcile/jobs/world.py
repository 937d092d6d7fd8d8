import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from reconcile.cases import breaker
from reconcile.config import Configuration
from reconcile.domain.clock import Clock
from reconcile.logs.context import about
from reconcile.store import job_runs, job_totals, migrate
from reconcile.store.database import Database
from reconcile.store.lake import Lake

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class World:
    """What every job is given: the configuration and the real parts that it names. Built in `reconcile.app` alone."""

    configuration: Configuration
    database: Database
    lake: Lake
    clock: Clock

    @contextmanager
    def job(self, name: str, subject: str = "") -> Iterator["JobRun"]:
        """Runs a job: fixes its business time at the start, says in the log how it ends, and records it.

        Raises `SchemaError` before anything is done where the database was upgraded past this program, or not yet up to it.

        Where an invariant did not hold, the breaker of each flow concerned opens: nothing is paid until two people have looked.
        """
        run = JobRun(now=self.clock.now())
        started_at, begun = datetime.now(UTC), time.monotonic()
        with about(job=name, **({"feed" if name == "take_feed" else "flow": subject} if subject else {})):
            _log.info("job begins", extra={"business_time": run.now})
            with self.database.begin() as connection:
                migrate.require(connection)
            try:
                yield run
                with self.database.begin() as connection:
                    job_runs.record(
                        connection,
                        job=name,
                        subject=subject,
                        business_time=run.now,
                        started_at=started_at,
                        counts=run.counts,
                    )
                    job_totals.succeeded(connection, job=name, subject=subject, seconds=time.monotonic() - begun)
            except Exception as error:
                self._failed(name, subject, run.now, time.monotonic() - begun, error)
                raise
            _log.info("job ended", extra={"counts": run.counts, "duration_ms": _milliseconds(begun)})

    def _failed(self, name: str, subject: str, now: datetime, seconds: float, error: Exception) -> None:
        _log.error("job failed", exc_info=error, extra={"duration_ms": round(seconds * 1000)})
        violated = job_totals.is_violation(error)
        try:
            with self.database.begin() as connection:
                job_totals.failed(connection, job=name, subject=subject, seconds=seconds, error=error)
                for flow in self._flows_of(name, subject) if violated else ():
                    reason = f"an invariant did not hold: {job_totals.place_of(error)}"
                    breaker.trip(connection, flow=flow, reason=reason, now=now, actor=f"job:{name}")
        except Exception:  # noqa: BLE001 - the first error is the one to raise; without a database nothing can be paid either
            _log.exception("the failure of the job could not be recorded")

    def _flows_of(self, name: str, subject: str) -> list[str]:
        """The flow that a job works for; all of them when it works for all."""
        if not subject:
            return [flow.name for flow in self.configuration.flows]
        return [self.configuration.feed(subject).flow if name == "take_feed" else subject]


@dataclass(slots=True)
class JobRun:
    """One run of a job. `now` is its business time throughout; `counts` is what it did, for the record."""

    now: datetime
    counts: dict[str, int] = field(default_factory=dict)


def _milliseconds(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
