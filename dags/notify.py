"""### Tell customers the truth, once per event

Sends what lies in the outbox, by SMS and e-mail; the facts of each notice are checked again when it is sent.

Woken by the asset *credits*.
"""

from airflow.sdk import DAG, task
from reconcile_dags import Installation

from reconcile.runtime.dag_options import options

here = Installation.of(__file__)

with DAG(
    schedule=[here.asset("credits")], deadline=here.deadline("notify"), **options(here.settings, "notify", __doc__)
):

    @task(**here.lineage("send_notices"))
    @here.masked
    def send_notices() -> dict[str, int]:
        """How many notices came into which state."""
        return here.jobs().send_notices()

    send_notices()
