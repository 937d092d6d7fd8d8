"""### Write the daily report

The statement, breaks by kind and age, time from confirmation to credit, incidents, notices: HTML, CSV and XLSX.
"""

from airflow.sdk import DAG, task
from reconcile_dags import Installation

from reconcile.runtime.dag_options import options, schedule

here = Installation.of(__file__)

with DAG(
    schedule=schedule(here.settings, "report"),
    deadline=here.deadline("report"),
    **options(here.settings, "report", __doc__),
):

    @task(**here.lineage("write_report"))
    @here.masked
    def write_report() -> list[str]:
        """The files, by their paths below the folder of the reports."""
        return here.jobs().write_report()

    write_report()
