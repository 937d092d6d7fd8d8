"""### Keep house

Merges past days, lets go of what is beyond its retention, removes files that nobody names any more. May be killed and run
again at any time, and runs beside all other DAGs.
"""

from airflow.sdk import DAG, task
from reconcile_dags import Installation

from reconcile.runtime.dag_options import options, schedule

here = Installation.of(__file__)

with DAG(
    schedule=schedule(here.settings, "housekeeping"),
    deadline=here.deadline("housekeeping"),
    **options(here.settings, "housekeeping", __doc__),
):

    @task(**here.lineage("housekeep"))
    @here.masked
    def housekeep() -> dict[str, int]:
        """How many rows and files each part was about."""
        return here.jobs().housekeep()

    housekeep()
