from reconcile.config import Airflow
from reconcile.runtime.dag_options import asset_uri, dag_id, options, schedule


def test_feeds_are_taken_in_every_five_minutes_unless_configured_otherwise() -> None:
    assert schedule(Airflow(), "feeds") == "*/5 * * * *"
    assert schedule(Airflow(schedules={"feeds": "0 * * * *"}), "feeds") == "0 * * * *"
    assert schedule(Airflow(schedules={"report": "manual"}), "report") is None


def test_two_installations_on_one_airflow_share_neither_dags_nor_assets() -> None:
    ours, theirs = Airflow(dag_prefix="ci_"), Airflow(dag_prefix="sn_")
    assert dag_id(ours, "feeds") == "ci_feeds"
    assert asset_uri(ours, "batches") == "reconcile://ci/batches"
    assert asset_uri(ours, "batches") != asset_uri(theirs, "batches")


def test_an_empty_prefix_leaves_an_address_that_is_one() -> None:
    assert asset_uri(Airflow(dag_prefix=""), "batches") == "reconcile://reconcile/batches"


def test_a_pool_is_only_named_when_it_is_configured() -> None:
    assert "pool" not in options(Airflow(), "feeds", "")["default_args"]
    assert options(Airflow(pool="money"), "feeds", "")["default_args"]["pool"] == "money"
