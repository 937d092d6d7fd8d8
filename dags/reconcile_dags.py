"""What the DAG files share. Not a DAG; found because Airflow puts this folder on the module path.

Airflow reads DAG files again and again, among hundreds of others, so reading these costs a configuration file and nothing
else: no database is asked, no job imported. That happens in the task.
"""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from airflow.sdk import Asset, AsyncCallback, Connection, DeadlineAlert, DeadlineReference, TriggerRule, task
from airflow.sdk.definitions.xcom_arg import XComArg

from reconcile import config
from reconcile.config import Airflow, Configuration, ConfigurationError, secrets_of
from reconcile.logs.setup import masked_error, to_airflow
from reconcile.runtime import deadline
from reconcile.runtime.dag_options import asset_uri, dag_id
from reconcile.runtime.lineage import lineage_of

if TYPE_CHECKING:
    from reconcile.app import Application

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Installation:
    """One `reconcile.toml`, as its DAGs see it. An Airflow may have several, each with a prefix of its own."""

    file: Path
    configuration: Configuration

    @classmethod
    def of(cls, dag_file: str) -> "Installation":
        """The one whose `reconcile.toml` lies beside that DAG file; without such a file, the one that `config.find` finds.

        Raises `ConfigurationError`.
        """
        beside = Path(dag_file).with_name(config.FILE_NAME)
        file = config.located(beside if beside.is_file() else None)
        return cls(file, config.load(file))

    @property
    def settings(self) -> Airflow:
        return self.configuration.airflow

    @property
    def feeds(self) -> list[str]:
        return [feed.name for feed in self.configuration.feeds]

    @property
    def flows(self) -> list[str]:
        return [flow.name for flow in self.configuration.flows]

    def asset(self, name: str) -> Asset:
        """`batches`, `verdicts` or `credits`: by it one DAG wakes the next."""
        return Asset(asset_uri(self.settings, name))

    def lineage(self, job: str) -> dict[str, list[Asset]]:
        """The arguments of `@task` that say where a job reads and writes, for Airflow's asset graph and OpenLineage."""
        found = lineage_of(self.configuration)[job]
        return {"inlets": [Asset(uri) for uri in found.reads], "outlets": [Asset(uri) for uri in found.writes]}

    def deadline(self, name: str) -> DeadlineAlert | None:
        """Tells `[alerts]` of a run that takes too long; nobody, where they are not configured."""
        if self.configuration.alerts is None:
            return None
        within = self.settings.deadline
        known = {
            "configuration": str(self.file.resolve()),
            "dag_id": dag_id(self.settings, name),
            "within": str(within),
        }
        return DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=within,
            callback=AsyncCallback(deadline.PATH, kwargs=known),
        )

    def jobs(self) -> "Application":
        """The jobs by name, for use in a task; the passwords of Airflow's connections are in the environment."""
        for variable, connection_id in self.settings.connections.items():
            password = Connection.get(connection_id).password
            if not password:
                raise ConfigurationError(f"airflow.connections.{variable}: {connection_id} has no password")
            os.environ[variable] = password
        from reconcile.app import application

        to_airflow(secrets=secrets_of(self.configuration))
        return application(self.file)

    def masked(self, job: Callable[Given, Result]) -> Callable[Given, Result]:
        """A task's function whose errors say nothing of a customer: Airflow prints what a task fails with, values and all."""

        @functools.wraps(job)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
            try:
                return job(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - every error is raised again, masked
                raise masked_error(error, secrets=secrets_of(self.configuration)) from None

        return run


def hand_on(done: XComArg, asset: Asset) -> None:
    """When all of the mapped task `done` has been tried, wake the DAG that waits for `asset`.

    What failed does not hold up the others, and nothing is decided on what is missing: the watermarks see to that. The
    run fails all the same, so that somebody looks.
    """

    @task(trigger_rule=TriggerRule.ALL_DONE, outlets=[asset])
    def publish() -> None:
        """Its success is the message."""

    @task(trigger_rule=TriggerRule.ONE_FAILED, retries=0)
    def watch() -> None:
        raise RuntimeError("not all of it was done: the failed task says why")

    done >> [publish(), watch()]
