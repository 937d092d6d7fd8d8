"""What the DAG files share. Not a DAG; found because Airflow puts this folder on the module path.

Airflow reads DAG files again and again, among hundreds of others, so reading these costs a configuration file and nothing
else: no database is asked, no job imported. That happens in the task.
"""

import os
from typing import TYPE_CHECKING

from airflow.sdk import Asset, Connection, TriggerRule, task
from airflow.sdk.definitions.xcom_arg import XComArg

from reconcile import config
from reconcile.runtime.dag_options import asset_uri

if TYPE_CHECKING:
    from reconcile.app import Application

configuration = config.load(config.located())
settings = configuration.airflow
feeds = [feed.name for feed in configuration.feeds]
flows = [flow.name for flow in configuration.flows]

batches = Asset(asset_uri(settings, "batches"))
verdicts = Asset(asset_uri(settings, "verdicts"))
credits_made = Asset(asset_uri(settings, "credits"))


def jobs() -> "Application":
    """The jobs by name, for use in a task; the passwords of Airflow's connections are in the environment."""
    for variable, connection_id in settings.connections.items():
        password = Connection.get(connection_id).password
        if not password:
            raise config.ConfigurationError(f"airflow.connections.{variable}: {connection_id} has no password")
        os.environ[variable] = password
    from reconcile.app import application

    return application()


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
