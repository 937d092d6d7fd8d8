"""An Airflow of our own: its folder, its configuration, its programs. All of it listens on the loopback address alone."""

import base64
import io
import json
import secrets
import subprocess
import sys
from collections.abc import Mapping
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path

from reconcile.runtime.ports import LOOPBACK
from reconcile.runtime.private_file import write_private
from reconcile.runtime.supervisor import Program, tail

AIRFLOW = (sys.executable, "-P", "-m", "airflow")  # -P: the working folder is not a place for modules
USER = "admin"
MIGRATION_LIMIT_SECONDS = 180
# A worker is busy for one heartbeat interval after its task; eight of them carry a tick without waiting for one another.
WORKERS = 8
HEARTBEAT_SECONDS = 1
SCHEDULER_IDLE_SECONDS = 0.1
# A scheduler, a task or a transaction that has given no sign of life for so long counts as dead.
PATIENCE_SECONDS = 30
LOOK_FOR_THE_DEAD_SECONDS = 5
REPARSE_SECONDS = 300  # the DAG files of an installation do not change

# Airflow forks its workers from the scheduler, tasks from the workers, and what reads a DAG file from the DAG processor.
# What the two have imported, all of these find imported; Great Expectations alone would take each task 2.5 s.
LOCAL_SETTINGS = """\
import sys

from reconcile.runtime import preload

preload.load_for(sys.argv[1] if len(sys.argv) > 1 else "")
"""


class AirflowDidNotMigrate(RuntimeError):  # noqa: N818 - says what is the matter
    """`airflow db migrate` failed; the message ends with what it said."""


@dataclass(frozen=True)
class AirflowHome:
    """The folder `AIRFLOW_HOME`, which is ours alone, and what its configuration is made from."""

    folder: Path
    database_url: str
    dags: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def password(self) -> str:
        """The password of the user `admin`; made when the folder is prepared, and kept."""
        return self._secrets()["password"]

    def prepare(self) -> None:
        """Write the configuration, afresh each time, because ports and places may change; secrets stay."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = self._secrets()
        write_private(self.folder / "secrets.json", json.dumps(kept))
        write_private(self._passwords, json.dumps({USER: kept["password"]}))
        settings = RawConfigParser()
        settings.read_dict(_escaped(self._settings(kept)))
        text = io.StringIO()
        settings.write(text)
        write_private(self.folder / "airflow.cfg", text.getvalue())
        local_settings = self.folder / "config" / "airflow_local_settings.py"
        local_settings.parent.mkdir(exist_ok=True)
        local_settings.write_text(LOCAL_SETTINGS, encoding="utf-8")

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """`inherited`, with Airflow pointed here; settings of another Airflow in it are left out."""
        kept = {name: value for name, value in inherited.items() if not name.startswith("AIRFLOW_")}
        return {**kept, "AIRFLOW_HOME": str(self.folder)}

    def begin_migration(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Begin to bring Airflow's database to the schema of the installed Airflow, which takes some seconds."""
        with self._migration_log.open("wb") as output:
            return subprocess.Popen(
                [*AIRFLOW, "db", "migrate"], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def finish_migration(self, migration: subprocess.Popen[bytes]) -> None:
        """Wait for it. Raises `AirflowDidNotMigrate`."""
        if migration.wait(MIGRATION_LIMIT_SECONDS) != 0:
            raise AirflowDidNotMigrate(f"airflow db migrate failed:\n{tail(self._migration_log)}")

    def programs(self) -> list[Program]:
        # The log servers of scheduler and triggerer listen on all addresses and cannot be told otherwise. The API
        # server reads the logs from the folder instead, because it is on the same machine.
        return [
            Program("airflow-api-server", [*AIRFLOW, "api-server"]),
            Program("airflow-scheduler", [*AIRFLOW, "scheduler", "--skip-serve-logs"]),
            Program("airflow-dag-processor", [*AIRFLOW, "dag-processor"]),
            Program("airflow-triggerer", [*AIRFLOW, "triggerer", "--skip-serve-logs"]),
        ]

    @property
    def _migration_log(self) -> Path:
        return self.folder / "migrate.log"

    @property
    def _passwords(self) -> Path:
        return self.folder / "passwords.json"

    def _secrets(self) -> dict[str, str]:
        file = self.folder / "secrets.json"
        if file.exists():
            kept: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
            return kept
        return {
            "password": secrets.token_urlsafe(12),
            "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii"),
            "jwt_secret": secrets.token_urlsafe(48),
            "secret_key": secrets.token_urlsafe(48),
        }

    def _settings(self, kept: Mapping[str, str]) -> dict[str, dict[str, object]]:
        return {
            "core": {
                "dags_folder": self.dags,
                "load_examples": False,
                "dags_are_paused_at_creation": False,
                "executor": "LocalExecutor",
                "parallelism": WORKERS,
                "hostname_callable": "socket.gethostname",  # asks no name server
                "execution_api_server_url": f"{self.url}/execution/",
                "simple_auth_manager_users": f"{USER}:admin",
                "simple_auth_manager_passwords_file": self._passwords,
                "fernet_key": kept["fernet_key"],
            },
            "database": {
                # LocalExecutor's workers are forked with their scheduler's connections. They outlive it when it is killed, and
                # so does the transaction that it was in, with the pool's row locked: no scheduler could queue a task again.
                "sql_alchemy_conn": f"{self.database_url}&options=-c%20idle_in_transaction_session_timeout%3D{PATIENCE_SECONDS}s",
                "sql_alchemy_conn_async": self.database_url.replace("+psycopg2", "+asyncpg"),
            },
            "api": {
                "host": LOOPBACK,
                "port": self.port,
                "base_url": self.url,
                "workers": 1,
                "secret_key": kept["secret_key"],
            },
            "api_auth": {"jwt_secret": kept["jwt_secret"]},
            "workers": {
                "min_heartbeat_interval": HEARTBEAT_SECONDS,
                "execution_api_timeout": PATIENCE_SECONDS,  # on a busy machine the first answers take longer than five seconds
            },
            "scheduler": {
                "scheduler_idle_sleep_time": SCHEDULER_IDLE_SECONDS,
                "task_instance_heartbeat_timeout": PATIENCE_SECONDS,
                "task_instance_heartbeat_timeout_detection_interval": LOOK_FOR_THE_DEAD_SECONDS,
                "scheduler_health_check_threshold": PATIENCE_SECONDS,
                "orphaned_tasks_check_interval": LOOK_FOR_THE_DEAD_SECONDS,
                "scheduler_health_check_server_host": LOOPBACK,
            },
            "dag_processor": {
                "parsing_processes": 1,
                "refresh_interval": REPARSE_SECONDS,
                "min_file_process_interval": REPARSE_SECONDS,
            },
            "logging": {
                "base_log_folder": self.folder / "logs",
                "dag_processor_child_process_log_directory": self.folder / "logs" / "dag_processor",
                "colored_console_log": False,
                "file_task_handler_new_folder_permissions": "0o700",
                "file_task_handler_new_file_permissions": "0o600",
            },
        }


def _escaped(sections: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, str]]:
    """Airflow reads `%` as the beginning of a reference to another key."""
    return {
        section: {key: str(value).replace("%", "%%") for key, value in settings.items()}
        for section, settings in sections.items()
    }
