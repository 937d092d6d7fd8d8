"""The doctor on a real PostgreSQL: what is well, what is not, and how soon a missing credit can be noticed."""

import socket
from datetime import UTC, datetime, timedelta

import pytest

from reconcile import config
from reconcile.app import Application
from reconcile.domain.clock import FixedClock
from reconcile.jobs.doctor import earliest_notice, examine
from reconcile.jobs.world import World
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
    assert [level for level, _ in found(world, "feed ocs")] == ["warning"]


def test_what_cannot_be_reached_is_a_failure_and_what_can_is_not(world_of, database_url, monkeypatch):
    monkeypatch.setenv("A_KEY", "k")
    secret = {"env": "A_KEY"}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        world = world_of(
            database_url,
            sms={"port": listening.getsockname()[1], "password": secret},
            email={"port": 1},
            gateway={"topup": {"url": "http://127.0.0.1:1", "api_key": secret}},
        )
        Application(world).prepare()
        assert [level for level, _ in found(world, "sms")] == ["ok"]
        assert [level for level, _ in found(world, "email")] == ["failure"]
        assert [level for level, _ in found(world, "gateway topup")] == ["failure"]


def test_a_secret_that_is_missing_is_named(world_of, database_url, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    gateway = {"topup": {"url": "http://127.0.0.1:1", "api_key": {"env": "NO_SUCH_KEY"}}}
    world = world_of(database_url, gateway=gateway)
    Application(world).prepare()
    [(level, text)] = found(world, "gateway topup")
    assert (level, "NO_SUCH_KEY" in text) == ("failure", True)
