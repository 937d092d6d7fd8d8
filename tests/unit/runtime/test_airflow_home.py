import configparser
from pathlib import Path

from reconcile.runtime.airflow_home import AirflowHome


def prepared(folder: Path, port: int = 8081) -> AirflowHome:
    home = AirflowHome(folder, "postgresql+psycopg2://airflow@/airflow?host=/tmp/100%25", Path("/dags"), port)
    home.prepare()
    return home


def settings(home: AirflowHome) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(home.folder / "airflow.cfg")
    return parser


def test_what_holds_a_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    home = prepared(tmp_path / "airflow")
    assert home.folder.stat().st_mode & 0o777 == 0o700
    for name in ("airflow.cfg", "passwords.json", "secrets.json"):
        assert (home.folder / name).stat().st_mode & 0o777 == 0o600


def test_secrets_stay_and_addresses_follow_at_the_next_start(tmp_path: Path) -> None:
    before = prepared(tmp_path / "airflow")
    password = before.password
    after = prepared(tmp_path / "airflow", port=9999)
    assert after.password == password
    assert settings(after)["api"]["base_url"] == "http://127.0.0.1:9999"
    assert settings(after)["core"]["execution_api_server_url"] == "http://127.0.0.1:9999/execution/"


def test_everything_listens_on_the_loopback_address_and_nothing_of_the_examples_is_loaded(tmp_path: Path) -> None:
    home = prepared(tmp_path / "airflow")
    found = settings(home)
    assert found["api"]["host"] == "127.0.0.1"
    assert found["core"]["load_examples"] == "False"
    assert found["database"]["sql_alchemy_conn_async"] == "postgresql+asyncpg://airflow@/airflow?host=/tmp/100%25"
    log_servers = [program for program in home.programs() if program.name in {"airflow-scheduler", "airflow-triggerer"}]
    assert len(log_servers) == 2
    assert all("--skip-serve-logs" in program.command for program in log_servers)


def test_settings_of_another_airflow_do_not_reach_ours(tmp_path: Path) -> None:
    home = prepared(tmp_path / "airflow")
    inherited = {"PATH": "/bin", "AIRFLOW__CORE__LOAD_EXAMPLES": "True", "AIRFLOW_HOME": "/elsewhere"}
    assert home.environment(inherited) == {"PATH": "/bin", "AIRFLOW_HOME": str(home.folder)}
