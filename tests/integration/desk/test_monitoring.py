"""What load balancers and monitors ask of a running desk, and what they are not told."""

import shutil
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from reconcile.config import Secret
from reconcile.desk import monitor
from reconcile.store.database import Database
from reconcile.store.tables import job_totals

TOKEN = "a-token-of-the-monitor"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
AT_ONCE = 0.0


@pytest.fixture
def desk_section():
    """Keys of `[desk]`; a test changes them before it asks for `desk`."""
    return {"monitor_token": Secret(env="MONITOR_TOKEN")}


@pytest.fixture
def world(world, desk_section, monkeypatch):
    monkeypatch.setenv("MONITOR_TOKEN", TOKEN)
    monkeypatch.setattr(monitor, "KEPT_SECONDS", AT_ONCE)
    section = world.configuration.desk.model_copy(update=desk_section)
    return replace(world, configuration=world.configuration.model_copy(update={"desk": section}))


@pytest.fixture
def get(desk):
    with httpx.Client(base_url=desk, trust_env=False, timeout=20) as client:
        yield client.get


def test_a_desk_that_can_work_says_so_and_no_more(get):
    for path in ("/health", "/health/live", "/health/ready"):
        answer = get(path)
        assert (answer.status_code, answer.text) == (200, "ok\n")


def test_whoever_has_the_token_is_told_what_was_looked_at(get):
    assert get("/health/ready", headers=BEARER).json() == {
        "ready": True,
        "checks": {"database": "ok", "schema": "ok", "lake": "ok"},
    }


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "Bearer"}]
)
def test_whoever_does_not_have_it_is_told_nothing(get, headers):
    assert get("/health/ready", headers=headers).text == "ok\n"
    answer = get("/metrics", headers=headers)
    assert (answer.status_code, answer.text) == (401, "")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_figures_can_be_scraped(get):
    answer = get("/metrics", headers=BEARER)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    cases = {
        sample.labels["reconcile_status"]: sample.value
        for sample in families["reconcile_cases"].samples
        if sample.labels["reconcile_flow"] == "topup"
    }
    assert sum(cases.values()) > 0


@pytest.mark.parametrize("desk_section", [{"monitor_token": None}])
def test_without_a_configured_token_there_are_no_figures(get, desk_section):
    assert get("/metrics", headers=BEARER).status_code == 404
    assert get("/health/ready", headers=BEARER).text == "ok\n"


def test_a_lake_that_cannot_be_written_makes_it_unready_and_still_alive(get, world, tmp_path):
    shutil.rmtree(tmp_path / "lake")
    (tmp_path / "lake").write_text("a file is in the way")
    assert (get("/health/ready").status_code, get("/health/ready").text) == (503, "not ready\n")
    assert get("/health/ready", headers=BEARER).json()["checks"]["lake"].startswith("cannot be used: ")
    assert get("/health/live").status_code == 200


def test_a_schema_of_another_version_makes_it_unready(get, world):
    with world.database.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '0001'"))
    answer = get("/health/ready", headers=BEARER)
    assert answer.status_code == 503
    assert answer.json()["checks"]["schema"].startswith("at revision 0001, needs ")


@pytest.mark.parametrize(
    "desk_section", [{"monitor_token": Secret(env="MONITOR_TOKEN"), "ready_within": timedelta(hours=1)}]
)
def test_a_flow_that_nobody_folds_makes_it_unready_where_that_is_asked_for(get, world, desk_section):
    assert get("/health/ready", headers=BEARER).json()["checks"]["flow topup"] == "not folded for 1:00:00"
    with world.job("fold_flow", "topup"):
        pass
    assert get("/health/ready").status_code == 200
    with world.database.begin() as connection:
        connection.execute(sa.update(job_totals).values(last_succeeded_at=sa.func.now() - timedelta(hours=2)))
    assert get("/health/ready").status_code == 503


def test_a_database_that_is_away_is_an_answer_and_tells_no_address(get, world):
    away = Database("postgresql+psycopg2://reconcile:secret@127.0.0.1:1/reconcile")
    with swapped(world.database, away):
        answer = get("/health/ready", headers=BEARER)
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "cannot be used: OperationalError"
    assert "127.0.0.1" not in answer.text


def test_a_database_that_hangs_holds_up_nobody(get, world, monkeypatch):
    monkeypatch.setattr(monitor, "WAIT_SECONDS", 0.1)
    let_go = threading.Event()
    monkeypatch.setattr(type(world.lake), "check", lambda _: let_go.wait(60))
    first = threading.Thread(target=get, args=("/health/ready",))
    first.start()
    answers = [get("/health/ready", headers=BEARER) for _ in range(3)]
    let_go.set()
    first.join()
    assert {answer.status_code for answer in answers} == {503}
    assert get("/health/live").status_code == 200
    assert get("/health/ready").status_code == 200


@contextmanager
def swapped(database, other):
    """The same database object with another one's engine."""
    before = database.engine
    database.__dict__["engine"] = other.engine
    try:
        yield
    finally:
        database.__dict__["engine"] = before
        other.dispose()
