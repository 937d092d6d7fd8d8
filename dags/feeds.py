"""### Take in what the feeds have delivered

For every configured feed: copy what is new and ready, parse, normalise, pass the gate, publish a batch, move the
watermark. One feed that fails does not hold up the others.

Wakes **reconcile** by the asset *batches*, also when nothing new has come: time has passed, and deadlines with it.
"""

from airflow.sdk import DAG, task
from reconcile_dags import Installation, hand_on

from reconcile.runtime.dag_options import options, schedule

here = Installation.of(__file__)

with DAG(
    schedule=schedule(here.settings, "feeds"),
    deadline=here.deadline("feeds"),
    **options(here.settings, "feeds", __doc__),
):

    @task(**here.lineage("take_feed"))
    @here.masked
    def take_feed(feed: str) -> list[str]:
        """The ids of the batches that were published."""
        return here.jobs().take_feed(feed)

    hand_on(take_feed.expand(feed=here.feeds), here.asset("batches"))
