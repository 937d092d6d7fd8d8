"""What Airflow's triggerer calls when a run is late: a real webhook is told, by the function's path alone."""

import asyncio
import importlib

import pytest
from webhook import webhook

from reconcile.runtime import deadline

CONFIGURATION = '[alerts]\nurls = [{ env = "NIGHT" }]\n'


@pytest.fixture
def told(monkeypatch):
    with webhook() as (address, received):
        monkeypatch.setenv("NIGHT", address)
        yield received


def call(tmp_path, **arguments):
    (tmp_path / "reconcile.toml").write_text(CONFIGURATION)
    module, _, name = deadline.PATH.rpartition(".")
    callback = getattr(importlib.import_module(module), name)
    known = {"configuration": str(tmp_path / "reconcile.toml"), "dag_id": "reconcile_feeds", "within": "0:30:00"}
    asyncio.run(callback(**known, **arguments))


def test_a_late_run_is_told_under_its_own_key(told, tmp_path):
    call(tmp_path, context={"dag_run": {"dag_run_id": "manual__1"}, "deadline": {"id": "x"}})
    (body,) = told
    assert body["key"] == "deadline:reconcile_feeds:manual__1"
    assert "has not ended 0:30:00 after it was queued" in body["message"]


def test_what_nobody_took_fails_so_that_airflow_keeps_it(told, tmp_path, monkeypatch):
    monkeypatch.setenv("NIGHT", "json://127.0.0.1:1/")
    with pytest.raises(RuntimeError, match="no address"):
        call(tmp_path)
