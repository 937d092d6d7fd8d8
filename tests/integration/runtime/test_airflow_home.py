from configparser import ConfigParser
from pathlib import Path

import sqlalchemy as sa

from reconcile.runtime.airflow_home import AirflowHome
from reconcile.store.embedded import EmbeddedPostgres


def test_a_transaction_that_nobody_goes_on_with_is_ended_because_it_may_be_a_killed_schedulers(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    home = AirflowHome(tmp_path / "airflow", postgres.database("airflow_home"), tmp_path, port=1)
    home.prepare()
    settings = ConfigParser()
    settings.read(home.folder / "airflow.cfg")
    engine = sa.create_engine(settings["database"]["sql_alchemy_conn"])
    with engine.connect() as connection:
        assert connection.execute(sa.text("show idle_in_transaction_session_timeout")).scalar_one() == "30s"
    engine.dispose()
