"""What Airflow's triggerer calls when a DAG run has not ended in time: `[alerts]` are told. Light to import, for DAG files are."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PATH = f"{__name__}.missed"
"""How Airflow finds `missed`."""


async def missed(configuration: str, dag_id: str, within: str, context: Mapping[str, Any] | None = None) -> None:
    """Tells that a run of `dag_id` has not ended `within` so long; `context` is what Airflow says of the run.

    Raises `RuntimeError` when no address took it: Airflow keeps that with the callback.
    """
    run = (context or {}).get("dag_run") or {}
    run_id = str(run.get("dag_run_id") or run.get("run_id") or "")
    await asyncio.to_thread(_tell, Path(configuration), dag_id, run_id, within)


def _tell(file: Path, dag_id: str, run_id: str, within: str) -> None:
    from reconcile import config
    from reconcile.alerts import channel
    from reconcile.alerts.alert import Alert

    alerts = config.load(file).alerts
    if alerts is None:
        return
    alert = Alert(
        key=f"deadline:{dag_id}:{run_id}",
        kind="run too slow",
        subject=dag_id,
        stage="open",
        text=f"the run {run_id} has not ended {within} after it was queued; look at its tasks in Airflow",
        since=datetime.now(UTC),
    )
    if not channel.tell([secret.read() for secret in alerts.urls], alert):
        raise RuntimeError("no address of [alerts] took it")
