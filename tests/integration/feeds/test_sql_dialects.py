"""Databases that tell less than PostgreSQL's primary does: SQLite, a standby, and one with prepared transactions."""

import contextlib
import sqlite3
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg2 import errors

from reconcile.feeds.limits import Limits
from reconcile.feeds.sql.source import SourceError
from reconcile.store.embedded import EmbeddedPostgres

from .charging import Charging, keys, read_by

TABLE = """
CREATE TABLE entries (
    entry_id TEXT, type TEXT DEFAULT 'RECHARGE', msisdn TEXT DEFAULT '0707123456', amount NUMERIC DEFAULT 1050,
    currency TEXT DEFAULT 'XOF', reference TEXT, external_id TEXT, posted_at TEXT
)
"""


@pytest.fixture
def till(operator):
    """A SQLite file beside the configuration, with a table of entries."""
    with sqlite3.connect(operator.folder / "till.sqlite") as connection:
        connection.execute(TABLE)
    yield connection
    connection.close()


def sell(till, key, ago, **values):
    moment = (datetime.now(UTC) - ago).replace(tzinfo=None)
    row = {"entry_id": key, "reference": f"RC-{key}", "posted_at": moment.isoformat(" "), **values}
    with till:
        till.execute(f"INSERT INTO entries ({', '.join(row)}) VALUES (:{', :'.join(row)})", row)
    return moment.replace(tzinfo=UTC)


def test_a_table_of_sqlite_is_read_in_parts_and_once(operator, till):
    read_by(operator, "sqlite:///till.sqlite")
    sold = [sell(till, f"E{number}", timedelta(hours=4 * number)) for number in range(6)]
    while len(keys(operator)) < 6:
        operator.take("ocs", limits=Limits(read_rows=3))
    operator.take("ocs")
    assert sorted(row["posted_at"] for row in operator.published("ocs")) == sorted(sold)
    assert timedelta(seconds=1) <= datetime.now(UTC) - operator.watermark("ocs") < timedelta(minutes=1)


def test_a_silent_table_of_sqlite_moves_the_watermark(operator, till):
    read_by(operator, "sqlite:///till.sqlite")
    operator.take("ocs")
    first = operator.watermark("ocs")
    time.sleep(0.01)
    operator.take("ocs")
    assert operator.watermark("ocs") > first


def test_a_number_with_a_fraction_is_written_out_by_the_query(operator, till):
    sell(till, "E1", timedelta(minutes=1), amount=1050.5)
    read_by(operator, "sqlite:///till.sqlite")
    with pytest.raises(SourceError, match="type float"):
        operator.take("ocs")
    sell(till, "E2", timedelta(minutes=1), amount=2100)
    query = operator.world.configuration.feed("ocs").query.replace("amount", "CAST(amount AS TEXT) AS amount")
    read_by(operator, "sqlite:///till.sqlite", query=query)
    operator.take("ocs")
    (held,) = operator.query("select reason from quarantine")
    assert "amount_is_readable" in held["reason"], "a fraction of a franc is no amount"
    assert keys(operator) == ["E2"]


@pytest.mark.parametrize(
    ("file", "said"), [("absent.sqlite", "unable to open database file"), ("till.sqlite", "locked")]
)
def test_a_file_of_sqlite_that_cannot_be_read_is_told_and_not_made(operator, till, monkeypatch, file, said):
    from reconcile.feeds.sql import dialect

    monkeypatch.setitem(dialect._DIALECTS["sqlite"].arguments["pysqlite"], "timeout", 0.1)
    till.isolation_level = None
    till.execute("BEGIN EXCLUSIVE")
    read_by(operator, f"sqlite:///{file}")
    with pytest.raises(SourceError, match=said) as caught:
        operator.take("ocs")
    till.execute("ROLLBACK")
    assert str(operator.folder) not in str(caught.value)
    assert not (operator.folder / "absent.sqlite").exists()


@pytest.fixture(scope="module")
def other():
    """A server of its own, which may be stopped and be told to keep prepared transactions."""
    with tempfile.TemporaryDirectory(prefix="reconcile-other-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedPostgres(Path(folder), settings={"fsync": "off", "max_prepared_transactions": "2"})
        server.start()
        yield server
        server.destroy()


def test_a_prepared_transaction_holds_the_watermark_where_it_is(operator, other):
    till = Charging(other.database("prepared"))
    read_by(operator, till.url)
    operator.take("ocs")
    before = operator.watermark("ocs")
    with till.engine.connect() as connection:
        till.post_on(connection, "E1")
        connection.exec_driver_sql("PREPARE TRANSACTION 'sale'")
    till.post("E2")
    for _ in range(2):
        operator.take("ocs")
        assert operator.watermark("ocs") == before
    with till.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("COMMIT PREPARED 'sale'")
    operator.take("ocs")
    till.engine.dispose()
    assert sorted(keys(operator)) == ["E1", "E2"]
    assert operator.watermark("ocs") > before


def test_a_standby_is_complete_as_far_as_it_has_followed(operator, other):
    till = Charging(other.database("behind"))
    till.post("E1")
    till.engine.dispose()
    other.stop()
    (other.data / "standby.signal").touch()
    with contextlib.suppress(errors.ReadOnlySqlTransaction):  # started, it would make itself a database
        other.start()
    read_by(operator, other.url("behind"))
    try:
        with pytest.raises(SourceError, match="a standby that has not followed its primary since it was started"):
            operator.take("ocs")
    finally:
        other.stop()
        (other.data / "standby.signal").unlink()
        other.start()
    assert operator.watermark("ocs") is None
