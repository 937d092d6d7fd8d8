"""What the DAG files share. Not a DAG; found because Airflow puts this folder on the module path."""

from airflow.sdk import Asset, TriggerRule, task
from airflow.sdk.definitions.xcom_arg import XComArg

from reconcile.app import application
from reconcile.runtime.dag_options import asset_uri

app = application()
settings = app.world.configuration.airflow

batches = Asset(asset_uri(settings, "batches"))
verdicts = Asset(asset_uri(settings, "verdicts"))
credits_made = Asset(asset_uri(settings, "credits"))


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
