"""A real Airflow with a real database, and configurations in which nothing has been delivered yet.

Airflow runs in processes of its own: it changes warnings, logging and signals of whoever imports it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Template
from typing import Any

import pytest

from reconcile.resources import folder
from reconcile.runtime.airflow_home import AirflowHome
from reconcile.runtime.ports import Ports
from reconcile.store.embedded import EmbeddedPostgres

CHECKOUT = Path(__file__).parents[2]
SCENARIO = CHECKOUT / "reconcile" / "scenarios" / "maxit.toml"
PORTS = {"desk_port": 1, "gsma_port": 1, "smpp_port": 1, "smtp_port": 1}
LIMIT_SECONDS = 120

Script = Callable[..., Any]
Configure = Callable[..., Path]


@pytest.fixture(scope="session")
def airflow_home(postgres: EmbeddedPostgres) -> Iterator[AirflowHome]:
    place = Path(tempfile.mkdtemp(prefix="reconcile-airflow-"))
    home = AirflowHome(place, postgres.database("airflow"), folder("dags"), Ports().free(8081))
    home.prepare()
    home.finish_migration(home.begin_migration(home.environment(os.environ)))
    yield home
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def configure(tmp_path_factory: pytest.TempPathFactory) -> Configure:
    """Writes the sandbox's configuration with some of its text replaced."""

    def write(**replaced: str) -> Path:
        place = tmp_path_factory.mktemp("world")
        (place / "sandbox").mkdir()
        (place / "sandbox" / "clock").write_text("2024-07-09T13:45:00Z")
        text = Template(SCENARIO.read_text()).substitute(PORTS)
        for old, new in REPLACEABLE.items():
            assert new in text
            text = text.replace(new, replaced.get(old, new))
        (place / "reconcile.toml").write_text(text)
        return place / "reconcile.toml"

    return write


REPLACEABLE = {
    "store": 'url = "embedded"\npath = "."',
    "airflow": 'schedules = { feeds = "manual", report = "manual", housekeeping = "manual" }',
    "ledger": 'location = "sandbox/inbox/ocs/*.csv"',
}


@pytest.fixture(scope="session")
def in_airflow(airflow_home: AirflowHome) -> Script:
    """Runs a Python text in Airflow's environment with a configuration; what it prints last, read as JSON."""

    def run(script: str, configuration: Path, *, package: Path = CHECKOUT, dags: Path | None = None) -> Any:
        environment = {
            **airflow_home.environment(os.environ),
            "RECONCILE_CONFIG": str(configuration),
            "SANDBOX_API_KEY": "key",
            "SANDBOX_SMPP_PASSWORD": "password",
            "PYTHONPATH": os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")]),
            "DAGS": str(dags or folder("dags")),
            **{name: value for name, value in os.environ.items() if name.startswith("AIRFLOW_CONN_")},
        }
        done = subprocess.run(
            [sys.executable, "-P", "-c", script],
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run
