"""### Put right what is missing, once

For every configured flow: what policy or two people allow becomes an intent, passes the gate, and is sent; what has an
unknown outcome is asked about; what was credited is verified by the ledger.

Clearing or repeating a task has no second effect: an intent has one key for ever.

Woken by the asset *verdicts*; wakes **notify** by the asset *credits*.
"""

from airflow.sdk import DAG, task
from reconcile_dags import Installation, hand_on

from reconcile.runtime.dag_options import options

here = Installation.of(__file__)

with DAG(
    schedule=[here.asset("verdicts")], deadline=here.deadline("remedy"), **options(here.settings, "remedy", __doc__)
):

    @task(**here.lineage("dispatch_flow"))
    @here.masked
    def dispatch_flow(flow: str) -> dict[str, int]:
        """How many intents and attempts came into which state."""
        return here.jobs().dispatch_flow(flow)

    hand_on(dispatch_flow.expand(flow=here.flows), here.asset("credits"))
