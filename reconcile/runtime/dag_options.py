"""What all our DAGs have in common, from the configuration. Knows nothing of Airflow, which lives under `dags/` alone."""

from datetime import timedelta
from typing import Any, Literal

from reconcile.config import Airflow

MANUAL = "manual"
DEFAULT_SCHEDULES = {"feeds": "*/5 * * * *", "report": "15 0 * * *", "housekeeping": "30 2 * * *"}
# A job may be run again at any time: what is done stays done, by the database's constraints.
RETRIES = 2
RETRY_DELAY = timedelta(seconds=10)
TASK_LIMIT = timedelta(minutes=15)


def options(settings: Airflow, name: str, doc_md: str | None) -> dict[str, Any]:
    """The arguments of `DAG` for the one in `dags/<name>.py`, all but its schedule."""
    return {
        "dag_id": dag_id(settings, name),
        "doc_md": doc_md,
        "tags": list(settings.tags),
        "catchup": False,
        "max_active_runs": 1,
        "default_args": {
            "retries": RETRIES,
            "retry_delay": RETRY_DELAY,
            "execution_timeout": TASK_LIMIT,
            **({"pool": settings.pool} if settings.pool else {}),
        },
    }


def dag_id(settings: Airflow, name: str) -> str:
    """The id under which Airflow knows the DAG in `dags/<name>.py`."""
    return f"{settings.dag_prefix}{name}"


def schedule(settings: Airflow, name: Literal["feeds", "report", "housekeeping"]) -> str | None:
    """The configured cron text, or None when the DAG only runs when somebody triggers it."""
    configured = settings.schedules.get(name, DEFAULT_SCHEDULES[name])
    return None if configured == MANUAL else configured


def asset_uri(settings: Airflow, name: str) -> str:
    """Two installations on one Airflow must not trigger each other's DAGs: the prefix that parts them is in the URI."""
    return f"reconcile://{settings.dag_prefix.strip('_.-') or 'reconcile'}/{name}"
