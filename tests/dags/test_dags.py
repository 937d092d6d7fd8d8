"""The DAG files as Airflow reads and runs them."""

import json
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Script = Callable[..., Any]
Configure = Callable[..., Path]

CHECKOUT = Path(__file__).parents[2]
NAMES = ("feeds", "reconcile", "remedy", "notify", "report", "housekeeping")

DESCRIBE = """
import json, os
from airflow.dag_processing.dagbag import BundleDagBag

bag = BundleDagBag(os.environ["DAGS"], bundle_path=os.environ["DAGS"], bundle_name="dags-folder")
print(json.dumps({
    "errors": bag.import_errors,
    "dags": {
        dag.dag_id: {
            "doc": dag.doc_md,
            "tags": sorted(dag.tags),
            "catchup": dag.catchup,
            "max_active_runs": dag.max_active_runs,
            "cron": getattr(dag.timetable, "expression", None),
            "waits_for": [asset.uri for asset in dag.timetable.asset_condition.objects]
            if dag.timetable.asset_condition else [],
            "wakes": sorted({outlet.uri for task in dag.tasks if task.task_id == "publish" for outlet in task.outlets}),
            "lineage": {task.task_id: [[each.uri for each in way] for way in (task.inlets, task.outlets)]
                        for task in dag.tasks},
            "deadlines": [[each.reference.reference_name, each.interval.total_seconds(), each.callback.path]
                          for each in dag.deadline or []],
            "tasks": {task.task_id: {"mapped": task.is_mapped, "retries": task.retries, "pool": task.pool}
                      for task in dag.tasks},
        }
        for dag in bag.dags.values()
    },
}))
"""

RUN = """
import json, os
from airflow.dag_processing.dagbag import BundleDagBag

bag = BundleDagBag(os.environ["DAGS"], bundle_path=os.environ["DAGS"], bundle_name="dags-folder")
states = {}
for name in NAMES:
    for task in bag.dags[f"reconcile_{name}"].tasks:
        task.retries = 0
    run = bag.dags[f"reconcile_{name}"].test()
    states[name] = {
        "run": run.state,
        "tasks": {f"{each.task_id}[{each.map_index}]": each.state for each in run.get_task_instances()},
    }
print(json.dumps(states))
"""

WHERE = """
import json
from reconcile.resources import folder
print(json.dumps(str(folder("dags"))))
"""

READ = """
import json, os, sys
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk import DAG, Asset, Connection, TriggerRule, task

before = set(sys.modules)
bag = BundleDagBag(os.environ["DAGS"], bundle_path=os.environ["DAGS"], bundle_name="dags-folder")
assert len(bag.dags) == len(NAMES), bag.import_errors
print(json.dumps(sorted(set(sys.modules) - before)))
"""

CONNECTION = """
import json, os, sys
sys.path.append(os.environ["DAGS"])
from reconcile_dags import Installation
try:
    world = Installation.of(os.environ["DAGS"] + "/feeds.py").jobs().world
except Exception as error:
    print(json.dumps(str(error)))
else:
    print(json.dumps([world.database.url.password, world.configuration.sms.password.read()]))
"""

SHADOW = """
import json, os, sys
sys.path.append(os.environ["DAGS"])
import reconcile
print(json.dumps(hasattr(reconcile, "__path__")))
"""


@pytest.fixture(scope="module")
def described(in_airflow: Script, configure: Configure) -> dict[str, Any]:
    found: dict[str, Any] = in_airflow(DESCRIBE, configure())
    assert found["errors"] == {}
    return dict(found["dags"])


def test_every_dag_is_there_under_the_configured_prefix_with_its_documentation(described: dict[str, Any]) -> None:
    assert set(described) == {f"reconcile_{name}" for name in NAMES}
    for dag in described.values():
        assert dag["doc"].startswith("### ")
        assert dag["tags"] == ["reconcile"]


def test_no_dag_catches_up_or_runs_beside_itself(described: dict[str, Any]) -> None:
    assert {(dag["catchup"], dag["max_active_runs"]) for dag in described.values()} == {(False, 1)}


def test_each_dag_is_woken_by_the_one_before_it(described: dict[str, Any]) -> None:
    chain = [
        (dag["waits_for"], dag["wakes"])
        for dag in (described[f"reconcile_{name}"] for name in ("feeds", "reconcile", "remedy", "notify"))
    ]
    assert chain == [
        ([], ["reconcile://reconcile/batches"]),
        (["reconcile://reconcile/batches"], ["reconcile://reconcile/verdicts"]),
        (["reconcile://reconcile/verdicts"], ["reconcile://reconcile/credits"]),
        (["reconcile://reconcile/credits"], []),
    ]


def test_what_is_done_per_feed_or_flow_is_mapped_over_them(described: dict[str, Any]) -> None:
    mapped = {task_id for dag in described.values() for task_id, task in dag["tasks"].items() if task["mapped"]}
    assert mapped == {"take_feed", "fold_flow", "dispatch_flow"}


def test_schedules_prefix_tags_and_pool_come_from_the_configuration(in_airflow: Script, configure: Configure) -> None:
    keys = [
        'dag_prefix = "ci_"',
        'tags = ["money", "ci"]',
        'pool = "recredits"',
        'schedules = { feeds = "*/10 * * * *" }',
    ]
    found = in_airflow(DESCRIBE, configure(airflow="\n".join(keys)))
    assert found["errors"] == {}
    dags = found["dags"]
    assert set(dags) == {f"ci_{name}" for name in NAMES}
    assert dags["ci_feeds"]["cron"] == "*/10 * * * *"
    assert dags["ci_report"]["cron"] == "15 0 * * *"
    assert dags["ci_feeds"]["wakes"] == ["reconcile://ci/batches"]
    assert {tuple(dag["tags"]) for dag in dags.values()} == {("ci", "money")}
    assert {task["pool"] for dag in dags.values() for task in dag["tasks"].values()} == {"recredits"}


def test_reading_the_dag_files_costs_a_configuration_and_neither_libraries_nor_a_database(
    in_airflow: Script, configure: Configure
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as database:
        port = database.getsockname()[1]
        configuration = configure(store=f'url = "postgresql+psycopg2://reconcile@127.0.0.1:{port}/reconcile"')
        read = in_airflow(f"NAMES = {NAMES}\n{READ}", configuration)
        database.settimeout(0)
        with pytest.raises(BlockingIOError):  # nobody has called
            database.accept()
    ours = {name for name in read if name.startswith("reconcile.")}
    allowed = ("reconcile.config", "reconcile.domain", "reconcile.logs", "reconcile.runtime.")
    assert [name for name in ours if not name.startswith(allowed)] == []
    assert len(read) - len(ours) < 40, read
    assert not (configuration.parent / "lake").exists()


def test_an_airflow_connection_is_handed_over_as_the_environment_variable_that_the_configuration_names(
    in_airflow: Script, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [
        'schedules = { feeds = "manual" }',
        'connections = { DB_PASSWORD = "ledger", SANDBOX_SMPP_PASSWORD = "smsc" }',
    ]
    store = 'url = "postgresql+psycopg2://reconcile@db.internal/reconcile"\npassword = { env = "DB_PASSWORD" }'
    configuration = configure(airflow="\n".join(keys), store=store)
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", "postgresql://reconcile:hush@db.internal/reconcile")
    monkeypatch.setenv("AIRFLOW_CONN_SMSC", json.dumps({"conn_type": "generic", "password": "hush2"}))
    assert in_airflow(CONNECTION, configuration) == ["hush", "hush2"]
    monkeypatch.setenv("AIRFLOW_CONN_SMSC", json.dumps({"conn_type": "generic"}))
    assert in_airflow(CONNECTION, configuration) == "airflow.connections.SANDBOX_SMPP_PASSWORD: smsc has no password"


def test_each_dag_runs_to_its_end_when_nothing_has_been_delivered(
    in_airflow: Script, configure: Configure, database_url: str
) -> None:
    states = in_airflow(f"NAMES = {NAMES}\n{RUN}", configure(store=f'url = "{database_url}"'))
    assert {name: state["run"] for name, state in states.items()} == dict.fromkeys(NAMES, "success")
    assert states["feeds"]["tasks"] == {
        "take_feed[0]": "success",
        "take_feed[1]": "success",
        "take_feed[2]": "success",
        "publish[-1]": "success",
        "watch[-1]": "skipped",
    }


def test_a_feed_that_fails_fails_the_run_and_yet_wakes_the_next_dag(
    in_airflow: Script, configure: Configure, database_url: str
) -> None:
    broken = configure(store=f'url = "{database_url}"', ledger='location = "nosuchprotocol://inbox/*.csv"')
    states = in_airflow(f"NAMES = ['feeds']\n{RUN}", broken)
    assert states["feeds"]["run"] == "failed"
    assert states["feeds"]["tasks"] == {
        "take_feed[0]": "success",
        "take_feed[1]": "failed",
        "take_feed[2]": "success",
        "publish[-1]": "success",
        "watch[-1]": "failed",
    }


def test_an_installed_wheel_says_where_its_dags_are_and_airflow_reads_them_there(
    in_airflow: Script, configure: Configure, tmp_path: Path
) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    installed = tmp_path / "site-packages"
    zipfile.ZipFile(next(tmp_path.glob("*.whl"))).extractall(installed)
    configuration = configure()
    dags = Path(in_airflow(WHERE, configuration, package=installed))
    assert dags.is_relative_to(installed)
    found = in_airflow(DESCRIBE, configuration, package=installed, dags=dags)
    assert found["errors"] == {}
    assert set(found["dags"]) == {f"reconcile_{name}" for name in NAMES}


def test_each_dag_is_documented() -> None:
    text = (CHECKOUT / "docs" / "operation.md").read_text()
    assert [name for name in NAMES if f"| `{name}` |" not in text] == []


def test_the_dag_file_named_like_the_package_does_not_hide_it(in_airflow: Script, configure: Configure) -> None:
    assert in_airflow(SHADOW, configure()) is True


LINEAGE = """
import json, os
answers = os.dup(1)
os.dup2(2, 1)  # the provider says good-bye on standard output
os.environ["AIRFLOW__OPENLINEAGE__TRANSPORT"] = json.dumps({"type": "file", "log_file_path": EVENTS, "append": True})
from airflow.dag_processing.dagbag import BundleDagBag

bag = BundleDagBag(os.environ["DAGS"], bundle_path=os.environ["DAGS"], bundle_name="dags-folder")
os.write(answers, json.dumps(bag.dags["reconcile_feeds"].test().state).encode())
"""


def test_every_task_of_ours_says_where_it_reads_and_writes(described: dict[str, Any]) -> None:
    for dag in described.values():
        for task, (reads, writes) in dag["lineage"].items():
            if task not in {"publish", "watch"}:
                assert reads, task
                assert writes, task
                assert {uri.partition(":")[0] for uri in reads + writes} <= {"file", "postgres", "reconcile"}


def test_runs_have_a_deadline_where_somebody_is_to_be_told(
    in_airflow: Script, configure: Configure, described: dict[str, Any]
) -> None:
    assert {str(dag["deadlines"]) for dag in described.values()} == {"[]"}
    keys = 'schedules = { feeds = "manual" }\ndeadline = "20m"\n[alerts]\nurls = [{ env = "NIGHT" }]'
    found = in_airflow(DESCRIBE, configure(airflow=keys))
    assert found["errors"] == {}
    assert [dag["deadlines"] for dag in found["dags"].values()] == [
        [["DagRunQueuedAtDeadline", 1200.0, "reconcile.runtime.deadline.missed"]]
    ] * len(NAMES)


def test_openlineage_is_told_where_the_deliveries_of_a_feed_go(
    in_airflow: Script, configure: Configure, database_url: str, tmp_path: Path
) -> None:
    configuration = configure(store=f'url = "{database_url}"')
    events = tmp_path / "events.jsonl"
    assert in_airflow(f"EVENTS = {str(events)!r}\n{LINEAGE}", configuration) == "success"
    home = configuration.parent
    told = [json.loads(line) for line in events.read_text().splitlines()]
    ended = [one for one in told if one["eventType"] == "COMPLETE" and one["job"]["name"].endswith(".take_feed")]
    assert len(ended) == 3
    for one in ended:
        assert ("file", f"{home}/lake/published") in {(each["namespace"], each["name"]) for each in one["outputs"]}
        assert f"{home}/sandbox/inbox/ocs" in {each["name"] for each in one["inputs"]}


FAILING = """
import json, os
answers = os.dup(1)
log = os.open(LOG, os.O_CREAT | os.O_WRONLY, 0o600)
os.dup2(log, 1)
os.dup2(log, 2)
from airflow.dag_processing.dagbag import BundleDagBag

bag = BundleDagBag(os.environ["DAGS"], bundle_path=os.environ["DAGS"], bundle_name="dags-folder")
for task in bag.dags["reconcile_feeds"].tasks:
    task.retries = 0
os.write(answers, json.dumps(bag.dags["reconcile_feeds"].test().state).encode())
"""


def test_the_log_of_a_task_that_fails_names_the_error_and_no_customer(
    in_airflow: Script, configure: Configure, database_url: str, tmp_path: Path
) -> None:
    broken = configure(store=f'url = "{database_url}"', ledger='location = "nosuch2250701020304://inbox/*.csv"')
    log = tmp_path / "log"
    assert in_airflow(f"LOG = {str(log)!r}\n{FAILING}", broken) == "failed"
    text = log.read_text()
    assert "job failed" in text
    assert "MaskedError" in text
    assert "Protocol not known: nosuch[number]" in text
    assert "2250701020304" not in text
