"""The doctor on a real PostgreSQL: what is well, what is not, and how soon a missing credit can be noticed."""

import shutil
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from reconcile import config
from reconcile.app import Application
from reconcile.domain.clock import FixedClock
from reconcile.jobs import doctor
from reconcile.jobs.doctor import earliest_notice, examine
from reconcile.jobs.world import World
from reconcile.runtime.ports import Ports
from reconcile.store.database import Database
from reconcile.store.lake import Lake

FLOW = {"name": "topup", "asset": "XOF", "since": "2024-07-09T00:00:00Z", "mode": "live"}
FEED = {"name": "ocs", "flow": "topup", "side": "ledger", "reader": "csv", "location": "ocs/*.csv"}


@pytest.fixture
def world_of(tmp_path):
    opened = []

    def build(url, **sections):
        configuration = config.build({"flow": [FLOW], "feed": [FEED]} | sections, home=tmp_path, source="test")
        opened.append(Database(url))
        clock = FixedClock(datetime(2024, 7, 9, 12, tzinfo=UTC))
        return World(configuration, opened[-1], Lake(str(tmp_path / "lake")), clock)

    yield build
    for database in opened:
        database.dispose()


def found(world, subject):
    return [(finding.level, finding.text) for finding in examine(world) if finding.subject == subject]


def test_an_unmigrated_database_is_the_only_thing_that_is_said(world_of, empty_database_url):
    [(level, text)] = found(world_of(empty_database_url), "schema")
    assert level == "failure"
    assert "reconcile migrate" in text


def test_a_database_that_does_not_answer_is_named(world_of):
    [(level, text)] = found(world_of("postgresql+psycopg2://reconcile@127.0.0.1:1/reconcile"), "database")
    assert (level, "127.0.0.1:1" in text) == ("failure", True)


def test_what_is_in_force_is_told_from_what_the_file_says(world_of, database_url):
    world = world_of(database_url)
    Application(world).prepare()
    levels = dict(found(world, "flow topup"))
    assert levels["warning"].startswith("in force: shadow; the file says live")


def test_it_says_how_soon_a_missing_credit_can_be_noticed(world_of, database_url):
    world = world_of(database_url)
    assert earliest_notice(world, world.configuration.flow("topup")) == timedelta(minutes=20)
    late = world_of(database_url, feed=[FEED | {"completeness": {"kind": "delay", "delay": "1h"}}])
    assert earliest_notice(late, late.configuration.flow("topup")) == timedelta(minutes=80)


def test_without_a_gateway_or_a_channel_it_warns(world_of, database_url):
    world = world_of(database_url)
    Application(world).prepare()
    assert [level for level, _ in found(world, "gateway topup")] == ["warning"]
    assert [level for level, _ in found(world, "channels")] == ["warning"]
    assert {level for level, _ in found(world, "feed ocs")} == {"warning"}


def test_what_cannot_be_signed_in_to_is_a_failure_and_what_can_is_not(world_of, database_url, monkeypatch):
    monkeypatch.setenv("A_KEY", "k")
    secret = {"env": "A_KEY"}
    port = Ports().free(8025)
    mail = Controller(Sink(), hostname="127.0.0.1", port=port)
    mail.start()
    try:
        world = world_of(
            database_url,
            sms={"port": 1, "password": secret},
            email={"port": port, "starttls": False},
            gateway={"topup": {"url": "http://127.0.0.1:1", "api_key": secret}},
        )
        Application(world).prepare()
        assert found(world, "email") == [("ok", f"127.0.0.1:{port} lets us in")]
        assert [level for level, _ in found(world, "sms")] == ["failure"]
        assert [level for level, _ in found(world, "gateway topup")] == ["failure"]
        assert [level for level, _ in found(world, "secrets")] == ["warning"]
    finally:
        mail.stop()


def test_a_mail_server_that_wants_another_sign_in_is_a_failure(world_of, database_url, monkeypatch):
    monkeypatch.setenv("A_KEY", "a-longer-key")
    port = Ports().free(8025)
    mail = Controller(Sink(), hostname="127.0.0.1", port=port)
    mail.start()
    try:
        email = {"port": port, "starttls": False, "username": "us", "password": {"env": "A_KEY"}}
        world = world_of(database_url, email=email)
        Application(world).prepare()
        [(level, text)] = found(world, "email")
        assert (level, "a-longer-key" in text) == ("failure", False)
    finally:
        mail.stop()


def test_a_lake_that_cannot_be_written_is_a_failure(world_of, database_url, tmp_path):
    world = world_of(database_url)
    Application(world).prepare()
    assert [level for level, _ in found(world, "lake")] == ["ok"]
    (tmp_path / "lake").rmdir()
    (tmp_path / "lake").write_text("in the way")
    assert [level for level, _ in found(world, "lake")] == ["failure"]


def test_a_disk_with_little_room_is_said_before_it_is_full(world_of, database_url, monkeypatch):
    world = world_of(database_url)
    Application(world).prepare()
    disks = [finding for finding in examine(world) if finding.subject.startswith("disk of ")]
    assert disks
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100 << 20))
    low = [finding for finding in examine(world) if finding.subject.startswith("disk of ")]
    assert {finding.level for finding in low} == {"failure"}
    assert all("housekeep" in finding.todo for finding in low)


def test_the_place_of_a_feed_that_is_empty_or_half_delivered_is_named(world_of, database_url, tmp_path):
    world = world_of(database_url)
    Application(world).prepare()
    place = tmp_path / "ocs"
    place.mkdir()
    assert ("warning", "nothing lies at ocs/*.csv") in found(world, "feed ocs")
    (place / "a.csv").write_text("entry_id\n")
    assert any("a.csv" in text and ".ctl" in text for _, text in found(world, "feed ocs"))
    (place / "a.csv.ctl").write_text("{}")
    assert found(world, "feed ocs") == [("warning", "nothing has arrived yet from ocs/*.csv")]


def test_senders_and_zones_that_are_seldom_meant_are_said(world_of, database_url, monkeypatch):
    monkeypatch.setenv("A_KEY", "a-longer-key")
    messages = {"name": "smsc", "flow": "topup", "side": "confirmation", "reader": "jsonl", "location": "in/*.jsonl"}
    flow = FLOW | {"zone": "Africa/Lagos"}
    world = world_of(database_url, flow=[flow], feed=[messages])
    Application(world).prepare()
    texts = " ".join(text for _, text in found(world, "feed smsc"))
    assert "no senders are named" in texts
    assert "read as UTC, while its flow lives in Africa/Lagos" in texts
    ours = world_of(
        database_url,
        flow=[flow],
        feed=[messages | {"senders": ["Max it"], "zone": "Africa/Lagos"}],
        sms={"port": 1, "password": {"env": "A_KEY"}},
    )
    assert "is our own" in " ".join(text for _, text in found(ours, "feed smsc"))


def test_nobody_told_nobody_scheduled_and_addresses_that_cannot_be_are_said(world_of, database_url, monkeypatch):
    world = world_of(database_url)
    Application(world).prepare()
    assert [level for level, _ in found(world, "alerts")] == ["warning"]
    assert found(world, "schedule") == [("warning", "no feed has ever been taken here")]
    with world.job("take_feed", "ocs"):
        pass
    assert [level for level, _ in found(world, "schedule")] == ["ok"]
    monkeypatch.setenv("NIGHT", "nosuch://tok3n@host")
    [(level, text)] = found(world_of(database_url, alerts={"urls": [{"env": "NIGHT"}]}), "alerts")
    assert (level, "tok3n" in text) == ("failure", False)
    monkeypatch.setenv("NIGHT", "json://127.0.0.1/hook")
    assert found(world_of(database_url, alerts={"urls": [{"env": "NIGHT"}]}), "alerts")[0][0] == "ok"


def test_a_clock_that_differs_and_a_flow_that_begins_tomorrow_are_said(world_of, database_url, monkeypatch):
    world = world_of(database_url, flow=[FLOW | {"since": "2024-07-10T00:00:00Z"}])
    Application(world).prepare()
    assert any("still to come" in text for _, text in found(world, "flow topup"))
    assert found(world, "clock") == []
    monkeypatch.setattr(doctor, "CLOCK_TOLERANCE", timedelta(0))
    assert [level for level, _ in found(world, "clock")] == ["warning"]


def test_a_database_that_is_newer_than_the_program_asks_for_the_newer_release(world_of, database_url):
    world = world_of(database_url)
    with world.database.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    [(level, text)] = found(world, "schema")
    assert (level, "run the newer program" in text) == ("failure", True)


def test_a_secret_that_is_missing_is_named(world_of, database_url, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    gateway = {"topup": {"url": "http://127.0.0.1:1", "api_key": {"env": "NO_SUCH_KEY"}}}
    world = world_of(database_url, gateway=gateway)
    Application(world).prepare()
    [(level, text)] = found(world, "gateway topup")
    assert (level, "NO_SUCH_KEY" in text) == ("failure", True)
