"""### Compare what customers were told with what was credited

For every configured flow: fold the new batches and the time that has passed into matches, open items and breaks; turn
breaks into cases, surges into incidents.

Woken by the asset *batches*; wakes **remedy** by the asset *verdicts*.
"""

from airflow.sdk import DAG, task
from reconcile_dags import Installation, hand_on

from reconcile.runtime.dag_options import options

here = Installation.of(__file__)

with DAG(
    schedule=[here.asset("batches")],
    deadline=here.deadline("reconcile"),
    **options(here.settings, "reconcile", __doc__),
):

    @task(**here.lineage("fold_flow"))
    @here.masked
    def fold_flow(flow: str) -> str:
        """The id of the fold's run."""
        return here.jobs().fold_flow(flow)

    hand_on(fold_flow.expand(flow=here.flows), here.asset("verdicts"))
