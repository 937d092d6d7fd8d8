"""The dispatcher against the sandbox's charging API: a separate process, real HTTP, faults on nearly every call."""

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from reconcile.config import Gateway
from reconcile.domain.clock import FileClock
from reconcile.domain.ids import derive
from reconcile.remedy import intents, modes, postings
from reconcile.remedy.dispatch import Dispatcher
from reconcile.remedy.gsma import GsmaGateway
from reconcile.store.database import Database
from reconcile.store.tables import attempts, cases

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2024, 7, 9, 14, 5, tzinfo=UTC)
REMEDIES = 40
FAULTS = {
    "reply_lost": 0.2, "error_after_success": 0.2, "request_lost": 0.2, "pending_then_completed": 0.1,
    "duplicate_400": 0.1, "slow": 0.0,
}  # fmt: skip
LIMITS = modes.Limits(
    max_amount_minor=5000, max_per_customer_day_minor=20000, max_per_hour_minor=10**6, max_per_day_minor=10**6
)


@pytest.fixture
def sandbox(tmp_path):
    environment = {
        "SANDBOX_TOKEN": "t", "SANDBOX_SMPP_PASSWORD": "secret", "SANDBOX_API_KEY": "k", "PATH": os.environ["PATH"],
    }  # fmt: skip
    ports = [word for name in ("control", "gsma", "smpp", "smtp") for word in (f"--{name}-port", "0")]
    process = subprocess.Popen(
        [sys.executable, "-m", "reconcile.sandbox", "serve", "--home", tmp_path, "--seed", "1", "--purchases", "400", *ports],
        env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield from serving(tmp_path, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)


def serving(home, process):
    addresses = json.loads(process.stdout.readline())
    with httpx.Client(base_url=f"http://{addresses['control']}", headers={"Authorization": "Bearer t"}) as control:
        control.post("/faults", json=FAULTS).raise_for_status()
        control.post("/clock", json={"to": NOW.isoformat()}, timeout=30).raise_for_status()
        yield home, control, addresses


def test_whatever_goes_wrong_on_the_wire_each_intent_is_credited_once(sandbox, database_url, monkeypatch):
    home, control, addresses = sandbox
    monkeypatch.setenv("KEY", "k")
    database = Database(database_url)
    with database.begin() as connection:
        modes.activate(connection, flow="topup", mode="live", limits=LIMITS, actor="test", reason="test", now=NOW)
        owe(connection, REMEDIES)
    gateway = GsmaGateway(Gateway(url=f"http://{addresses['gsma']}", api_key={"env": "KEY"}))
    counts = Counter()
    for _ in range(10):
        counts += Dispatcher(
            database=database, gateway=gateway, clock=FileClock(home / "clock"), flow="topup",
            id_horizon=timedelta(hours=24), requests_per_second=500, concurrency=4,
        ).run()  # fmt: skip
        if counts["confirmed"] == REMEDIES:
            break
    gateway.close()
    with database.begin() as connection:
        booked = postings.balances(connection)
        sends = connection.execute(sa.select(sa.func.sum(attempts.c.sends))).scalar_one()
    database.dispose()
    assert counts["confirmed"] == REMEDIES
    assert sends > REMEDIES, "no request was lost: the faults were not on"
    assert {account: minor for (account, _), minor in booked.items() if minor} == {"budget": -42000, "paid": 42000}

    control.post("/clock", json={"to": "2024-07-09T14:10:00Z"}, timeout=30).raise_for_status()
    keys = Counter(row["external_id"] for row in ledger_rows(home) if row["external_id"])
    assert len(keys) == REMEDIES
    assert set(keys.values()) == {1}


def owe(connection, number):
    for index in range(number):
        case_id, account = derive("case", str(index)), f"+22507071000{index:02}"
        connection.execute(
            sa.insert(cases).values(
                case_id=case_id, number=f"N{index}", flow="topup", status="open", kind="never_credited", version=1,
                account=account, asset="XOF", confirmed_minor=1050, owed_minor=1050, detected_at=NOW, grade="proven",
                disposition="pay", disposition_reason="within policy", owner="policy",
            )
        )  # fmt: skip
        remedy = intents.Remedy(
            case_id=case_id, flow="topup", component="recredit", account=account, asset="XOF", amount_minor=1050,
            purchase_minor=1050, reference=f"RC{index}", message_id=str(index), verdict_version=1,
            policy_version="p", reason="within policy", approved=True,
        )  # fmt: skip
        intents.plan(connection, now=NOW, remedies=[remedy])


def ledger_rows(home):
    for file in sorted((home / "inbox" / "ocs").glob("*.csv*")):
        if file.suffix != ".ctl":
            opened = gzip.open if file.suffix == ".gz" else open
            with opened(file, "rt") as stream:
                yield from csv.DictReader(stream, delimiter=";")
