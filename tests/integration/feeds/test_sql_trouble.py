"""Databases that do not answer, workers that are killed or come in pairs, and what the doctor says beforehand."""

import gzip
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from reconcile import config
from reconcile.feeds.limits import Limits
from reconcile.feeds.rehearsal import rehearse_rows
from reconcile.feeds.sql import examination
from reconcile.feeds.sql.source import SourceError

from .charging import QUERY, keys, read_by


def said_by(operator, **options):
    with pytest.raises(SourceError) as caught:
        operator.take("ocs", **options)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__, "a traceback shows nothing of the driver's words"
    return str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "charging.invalid"])
def test_a_database_that_cannot_be_reached_is_told_without_its_address(operator, monkeypatch, host):
    monkeypatch.setenv("OCS_PASSWORD", "hush-hush")
    read_by(operator, f"postgresql+psycopg2://teller@{host}:1/till", password={"env": "OCS_PASSWORD"})
    said = said_by(operator)
    assert said.startswith("feed ocs: its database cannot be reached: OperationalError: ")
    assert [secret for secret in (host, "teller", "till", "hush-hush") if secret in said] == []
    assert operator.watermark("ocs") is None
    assert operator.query("select * from job_runs") == []


def test_a_watermark_stands_while_the_database_is_away(reader, operator, charging):
    reader().take("ocs")
    before = operator.watermark("ocs")
    read_by(operator, "postgresql+psycopg2://teller@127.0.0.1:1/till")
    said_by(operator)
    assert operator.watermark("ocs") == before


def test_a_password_that_is_missing_is_named_by_its_place(reader, monkeypatch):
    monkeypatch.delenv("NO_SUCH_PASSWORD", raising=False)
    with pytest.raises(config.ConfigurationError, match="environment variable NO_SUCH_PASSWORD is not set"):
        reader(password={"env": "NO_SUCH_PASSWORD"}).take("ocs")


def test_a_driver_that_is_missing_is_named(operator):
    with pytest.raises(config.ConfigurationError, match=r"the driver for oracle\+oracledb is not installed: oracledb"):
        read_by(operator, "oracle+oracledb://teller@127.0.0.1/till").take("ocs")


def readers_left():
    return [thread for thread in threading.enumerate() if thread.name == "reconcile-feed-reader"]


def test_a_database_that_accepts_and_says_nothing_is_given_up_in_time(operator):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        read_by(operator, f"postgresql+psycopg2://teller@127.0.0.1:{silent.getsockname()[1]}/till")
        said = said_by(operator, limits=Limits(read_seconds=0.5))
    assert said == "feed ocs: its database did not answer within the 0.5 s that one read may take"
    assert operator.watermark("ocs") is None


def test_a_query_that_hangs_is_given_up_and_leaves_nobody_waiting(reader, charging):
    charging.post("E1")
    operator = reader(query=QUERY.replace("amount", "amount + length(pg_sleep(60)::text) AS amount"))
    assert "did not answer within the 0.5 s" in said_by(operator, limits=Limits(read_seconds=0.5))
    give_up = time.monotonic() + 30
    while readers_left() and time.monotonic() < give_up:
        time.sleep(0.05)
    assert readers_left() == [], "its connection was cut off"
    assert operator.query("select * from batches") == []


def test_three_workers_at_once_publish_each_row_once(reader, charging):
    operator = reader()
    charging.post(*(f"E{number}" for number in range(20)))
    failures = []

    def work():
        try:
            operator.take("ocs")
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert len(keys(operator)) == len(set(keys(operator))) == 20


KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from pathlib import Path
from reconcile.feeds import manifest, publishing
from reconcile.feeds.sql.reading import Reading
from reconcile.store.database import Database
from tests.integration.feeds.charging import read_by
from tests.integration.feeds.conftest import Operator

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

{patch}
read_by(Operator(Path({folder!r}), Database({url!r})), {source!r}).take("ocs")
"""
MOMENTS = {
    "while rows come": "Reading._refuse_inexact = die",
    "after they were read": "Path.rename = die",
    "before they are recorded": "manifest.land = die",
    "before the commit": "publishing.watermark.advance = die",
}


@pytest.mark.parametrize("patch", MOMENTS.values(), ids=MOMENTS)
def test_a_worker_that_is_killed_while_it_reads_changes_nothing(reader, charging, patch):
    operator = reader()
    charging.post("E1", "E2")
    url = operator.database.url.render_as_string(hide_password=False)
    script = KILLED.format(path=sys.path, patch=patch, folder=str(operator.folder), url=url, source=charging.url)
    killed = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert operator.published("ocs") == []
    operator.take("ocs")
    assert sorted(keys(operator)) == ["E1", "E2"]
    assert datetime.now(UTC) - operator.watermark("ocs") < timedelta(minutes=1)


def test_the_first_rows_of_a_database_can_be_tried(reader, charging):
    operator = reader()
    charging.post("E1", "E2", "E3")
    charging.post("E4", amount=-1)
    tried = rehearse_rows(operator.world.configuration, "ocs", now=datetime.now(UTC), rows=4)
    assert [row.disposition for row in tried.rows] == ["published"] * 3 + ["quarantined"]
    assert len(rehearse_rows(operator.world.configuration, "ocs", now=datetime.now(UTC), rows=2).rows) == 2
    assert operator.query("select * from feeds") == [], "nothing is written"


def remarks(operator):
    return [
        remark.text
        for remark in examination.examine_source(
            operator.world.configuration, operator.world.configuration.feed("ocs"), datetime.now(UTC)
        )
    ]


def test_the_doctor_finds_nothing_to_say_about_a_database_as_it_should_be(reader, charging):
    charging.run("CREATE INDEX ON entries (posted_at)")
    assert remarks(reader()) == ["its database answers, and the query gives every column"]


def test_the_doctor_tells_a_scan_of_the_whole_table(reader, charging):
    charging.run(
        "INSERT INTO entries (entry_id, posted_at) SELECT i, now() - interval '1 day' FROM generate_series(1, 20000) AS i"
    )
    charging.run("ANALYZE entries")
    operator = reader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examination, "COSTLY", 400)
        (remark,) = remarks(operator)
        assert "reads the table entries from end to end" in remark
        charging.run("CREATE INDEX ON entries (posted_at)")
        charging.run("ANALYZE entries")
        assert remarks(operator) == ["its database answers, and the query gives every column"]


def test_the_doctor_tells_what_it_cannot_see_and_what_holds_the_watermark(operator, charging, postgres, monkeypatch):
    name = charging.engine.url.database
    postgres.database("elsewhere", owner="onlooker")
    charging.run(f"GRANT CONNECT ON DATABASE {name} TO onlooker; GRANT SELECT ON entries TO onlooker")
    monkeypatch.setattr(examination, "LONG_OPEN", timedelta(0))
    monkeypatch.setattr(examination, "CLOCK_TOLERANCE", timedelta(seconds=-1))
    with charging.engine.connect() as idle:
        charging.on(idle, "SELECT now()")
        read_by(operator, postgres.url(name, owner="onlooker"))
        assert any("role without pg_read_all_stats" in remark for remark in remarks(operator))
        read_by(operator, charging.url)
        assert any(remark.startswith("a transaction is open in its database since") for remark in remarks(operator))
        assert any(remark.startswith("the clock of its database is 0 s") for remark in remarks(operator))


SIDES = {
    "confirmation": {
        "senders": ["MaxIt"],
        "provider": "maxit",
        "query": """
            SELECT 'M1' AS id, 'MaxIt' AS sender, '+2250707123456' AS recipient, at AS sent_at, 'Vous avez achete 1050 FCFA '
                'd''unites pour le 0707123456. Frais\\: 0 FCFA. Nouveau solde\\: 500 FCFA. ID Trans\\: RC240709.1145.A00011.' AS text
            FROM moments WHERE at >= :since AND at < :until
            UNION ALL
            SELECT 'M2', 'Bank', '+2250707123456', at, 'Your code is 98765' FROM moments WHERE at >= :since AND at < :until
        """,
    },
    "directory": {
        "query": """
            SELECT '0707123456' AS account, 'fr' AS language, NULL AS email, 'sms' AS channel, false AS opted_out
            FROM moments WHERE long_ago >= :since AND long_ago < :until
        """
    },
    "payment": {
        "kinds": {"payment": ["PAY"]},
        "query": """
            SELECT 'P1' AS payment_id, 'PAY' AS type, '0707123456' AS account, '0707123456' AS payer, 1050 AS amount,
                'XOF' AS currency, 'RC1' AS reference, at AS paid_at
            FROM moments WHERE at >= :since AND at < :until
        """,
    },
}


@pytest.mark.parametrize("side", SIDES)
def test_every_side_can_come_from_a_database(operator, charging, side):
    charging.run("CREATE TABLE moments AS SELECT now() AS at, now() - interval '9 years' AS long_ago")
    read_by(operator, charging.url, side=side, **({"columns": {}, "kinds": {}} | SIDES[side]))
    operator.take("ocs")
    (batch,) = operator.query("select * from batches")
    assert (batch["status"], batch["published_rows"]) == ("published", 1)
    with operator.world.lake.open(batch["landed_path"]) as landed:
        assert b"98765" not in gzip.decompress(landed.read()), "other people's messages do not land"
