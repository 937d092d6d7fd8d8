"""How often each job ran and failed, for metrics and alerts: it outlives the rows of `job_runs`."""

import traceback
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.store.tables import job_totals

_PACKAGE: Final = Path(__file__).resolve().parents[1]


def succeeded(connection: sa.Connection, *, job: str, subject: str, seconds: float) -> None:
    """Counts a run that ended well; `seconds` of machine time."""
    first = {"succeeded": 1, "seconds": seconds, "last_succeeded_at": sa.func.clock_timestamp()}
    later = {"succeeded": job_totals.c.succeeded + 1, "failed_in_a_row": 0}
    _count(connection, job, subject, seconds, first, later)


def failed(connection: sa.Connection, *, job: str, subject: str, seconds: float, error: BaseException) -> None:
    """Counts a run that failed: the type of its error is kept, and where in our code it was raised, never its text."""
    first = {
        "failed": 1,
        "failed_in_a_row": 1,
        "seconds": seconds,
        "last_failed_at": sa.func.clock_timestamp(),
        "last_error": place_of(error),
    }
    if is_violation(error):
        first["violated_at"] = sa.func.clock_timestamp()
    later = {"failed": job_totals.c.failed + 1, "failed_in_a_row": job_totals.c.failed_in_a_row + 1}
    _count(connection, job, subject, seconds, first, later)


def is_violation(error: BaseException) -> bool:
    """Whether one of the invariants, which stand in the code as assertions, did not hold."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_violation(inner) for inner in error.exceptions)
    return isinstance(error, AssertionError) or (error.__cause__ is not None and is_violation(error.__cause__))


def place_of(error: BaseException) -> str:
    """The type of an error and the last line of ours that it passed through: `KeyError in feeds/inbox.py:120`."""
    if isinstance(error, BaseExceptionGroup):
        return place_of(error.exceptions[0])
    ours = [
        f"{path.relative_to(_PACKAGE)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if (path := Path(frame.filename)).is_relative_to(_PACKAGE)
    ]
    return f"{type(error).__name__} in {ours[-1]}" if ours else type(error).__name__


def _count(
    connection: sa.Connection, job: str, subject: str, seconds: float, first: dict[str, Any], later: dict[str, Any]
) -> None:
    row = insert(job_totals).values(job=job, subject=subject, **first)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=["job", "subject"], set_={**first, "seconds": job_totals.c.seconds + seconds, **later}
        )
    )
