"""The lowest Airflow that pyproject.toml allows, with our own dependencies as locked: its DAGs are read, and one runs."""

import re
import tomllib
from pathlib import Path

import pytest
from elsewhere import CHECKOUT, Elsewhere, Environment

from reconcile.store.embedded import EmbeddedPostgres

pytestmark = pytest.mark.timeout(900)  # the environment is made in the first test
CONFIGURATION = """
[store]
url = "{store}"
[airflow]
schedules = {{ feeds = "manual", report = "manual" }}
[[flow]]
name = "topup"
asset = "XOF"
since = 2024-07-09T00:00:00Z
[[feed]]
name = "smsc"
flow = "topup"
side = "confirmation"
reader = "jsonl"
location = "drops/*.jsonl"
senders = ["MaxIt"]
"""


PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]


def lowest() -> str:
    [version] = re.findall(r"apache-airflow>=([0-9.]+),", " ".join(PROJECT["optional-dependencies"]["airflow"]))
    return version


def own_dependencies() -> list[str]:
    """What we ask for ourselves, as locked; the others are those of that Airflow."""
    names = {re.match(r"[a-z0-9-]+", line)[0] for line in PROJECT["dependencies"]}
    locked = re.findall(r"^([a-z0-9-]+)(==\S+)", (CHECKOUT / "requirements.lock").read_text(), re.MULTILINE)
    return [f"{name}{version}" for name, version in locked if name in names]


@pytest.fixture(scope="module")
def airflow(uv: Path, wheel: Path, place: Path, postgres: EmbeddedPostgres) -> Elsewhere:
    """`dags_folder` is that of the installed wheel."""
    constraints = place / "constraints.txt"
    constraints.write_text("\n".join(own_dependencies()))
    environment = Environment(uv, place / "env")
    environment.install(f"apache-airflow=={lowest()}", f"{wheel}[airflow]", constraints=constraints)
    home = place / "airflow"
    home.mkdir()
    (home / "reconcile.toml").write_text(CONFIGURATION.format(store=postgres.database("lowest", owner="reconcile")))
    deployment = Elsewhere(
        environment,
        home,
        postgres.database("lowest_airflow"),
        {"RECONCILE_CONFIG": str(home / "reconcile.toml")},
    )
    deployment.variables["AIRFLOW__CORE__DAGS_FOLDER"] = deployment.type("reconcile", "dags").strip()
    deployment.type("airflow", "db", "migrate")
    deployment.type("reconcile", "migrate")
    return deployment


def test_it_reads_all_dags_and_runs_one(airflow: Elsewhere) -> None:
    assert lowest() in airflow.type("airflow", "version")
    airflow.type("airflow", "dags", "reserialize")
    assert airflow.ask("select filename from import_error") == []
    names = {path.stem for path in (CHECKOUT / "dags").glob("*.py")} - {"reconcile_dags"}
    assert {row[0] for row in airflow.ask("select dag_id from dag")} == {f"reconcile_{name}" for name in names}
    airflow.type("airflow", "dags", "test", "reconcile_feeds")
    assert airflow.ask("select task_id, state from task_instance order by 1") == [
        ("publish", "success"),
        ("take_feed", "success"),
        ("watch", "skipped"),
    ]
