"""An Airflow that somebody else runs: a virtual environment, a home and a database of its own, settings as they come."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from reconcile.runtime import leftovers
from reconcile.runtime.ports import LOOPBACK, Ports

CHECKOUT = Path(__file__).parents[2]
COMMAND_SECONDS = 180
WAIT_SECONDS = 150
STOP_SECONDS = 3
POLL_SECONDS = 0.3


class Environment:
    """A virtual environment made by uv, which takes packages from its cache by hard links."""

    def __init__(self, uv: Path, folder: Path) -> None:
        self._uv = uv
        self.folder = folder
        self._run("venv", "--python", sys.executable, str(folder))

    def install(self, *requirements: str, constraints: Path) -> None:
        self._run(
            "pip", "install", "--python", str(self.folder / "bin" / "python"), "-c", str(constraints), *requirements
        )

    def program(self, name: str) -> str:
        return str(self.folder / "bin" / name)

    def _run(self, *arguments: str) -> None:
        done = subprocess.run([self._uv, *arguments, "--quiet"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


class Elsewhere:
    """One deployment. Commands are typed as its engineer types them; programs run until `stop`."""

    def __init__(self, environment: Environment, home: Path, database_url: str, settings: Mapping[str, str]) -> None:
        self.environment = environment
        self.home = home
        self._engine = sa.create_engine(database_url)
        port = Ports().free(8085)
        self.variables = {
            "PATH": f"{environment.folder}/bin:{os.environ['PATH']}",
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{LOOPBACK}:{port}/execution/",
            "AIRFLOW__API__HOST": LOOPBACK,
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": "the secret that a deployment of several programs must set",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database_url,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database_url.replace("+psycopg2", "+asyncpg"),
            **settings,
        }
        self._programs: list[subprocess.Popen[bytes]] = []

    def type(self, *command: str, **variables: str) -> str:
        """Run a command, with these variables set beside the deployment's own; what it prints on standard output."""
        done = subprocess.run(
            [self.environment.program(command[0]), *command[1:]],
            env=self.variables | variables,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        # The log server's port is one for the whole machine, on which other Airflows may run.
        for arguments in (["api-server"], ["scheduler", "--skip-serve-logs"], ["dag-processor"]):
            with (self.home / f"{arguments[0]}.log").open("wb") as log:
                program = subprocess.Popen(
                    [self.environment.program("airflow"), *arguments],
                    env=leftovers.marked(self.variables, self.home),
                    cwd=self.home,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self._programs.append(program)

    def stop(self) -> None:
        for program in self._programs:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGTERM)
        leftovers.end(self.home, limit_seconds=STOP_SECONDS)
        for program in self._programs:
            program.wait(STOP_SECONDS)
        self._engine.dispose()

    def ask(self, query: str, **parameters: object) -> list[tuple[object, ...]]:
        """Rows of Airflow's own database."""
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query), parameters)]

    def runs(self, prefix: str = "") -> dict[str, int]:
        """How many runs of each DAG there are, whatever became of them."""
        found = self.ask(
            "select dag_id, count(*) from dag_run where starts_with(dag_id, :prefix) group by 1", prefix=prefix
        )
        return {str(dag_id): int(str(count)) for dag_id, count in found}

    def wait_for_dags(self, *dag_ids: str) -> None:
        self._wait(
            "select count(*) from dag where dag_id = any(:dag_ids) and not is_stale",
            len(dag_ids),
            dag_ids=list(dag_ids),
        )

    def wait_for_runs(self, dag_id: str, count: int) -> None:
        """Until so many runs of the DAG have succeeded."""
        self._wait("select count(*) from dag_run where dag_id = :dag_id and state = 'success'", count, dag_id=dag_id)

    def _wait(self, query: str, least: int, **parameters: object) -> None:
        give_up = time.monotonic() + WAIT_SECONDS
        while int(str(self.ask(query, **parameters)[0][0])) < least:
            failed = self.ask("select dag_id, task_id from task_instance where state = 'failed'")
            dead = [program.args for program in self._programs if program.poll() is not None]
            if failed or dead or time.monotonic() > give_up:
                pytest.fail(self._why(f"{parameters}; failed: {failed}; dead: {dead}"))
            time.sleep(POLL_SECONDS)

    def _why(self, waited_for: str) -> str:
        """What a person would look at: import errors, the states, the end of the logs."""
        errors = self.ask("select filename, stacktrace from import_error")
        states = self.ask("select dag_id, task_id, map_index, state from task_instance order by 1, 2")
        logs = sorted(self.home.glob("logs/dag_id=*/**/*.log"), key=lambda log: log.stat().st_size)
        tails = [log.read_text(errors="replace")[-4000:] for log in [*self.home.glob("*.log"), *logs[-1:]]]
        return "\n".join([f"waited for {waited_for}", str(errors), str(states), *tails])
