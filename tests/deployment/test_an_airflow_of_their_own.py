"""What docs/operation.md tells a data engineer to type, typed: the built wheel in an Airflow that was there before.

Theirs are the environment, the home, the database, the settings as they come, and a DAG. Ours comes twice, for two brands.
"""

import csv
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any

import boto3
import pytest
import sqlalchemy as sa
from elsewhere import CHECKOUT, Elsewhere, Environment

from reconcile.runtime.ports import LOOPBACK, Ports
from reconcile.store.embedded import EmbeddedPostgres

pytestmark = pytest.mark.timeout(900)  # the environment and the deployment are made in the first test
LOCK = CHECKOUT / "requirements.lock"
CHAIN = ("feeds", "reconcile", "remedy", "notify")
BUCKET = "reconcile"
LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"
NOW = datetime.now(UTC).replace(microsecond=0)
PURCHASES = 60
MISSING = (7, 23, 41)
COMES_LATE = 41
BOUGHT_LAST = 99
BRANDS = ("shop", "kiosk")
CASES = "select status, kind, owed_minor, reference from cases"
COMMIT_LAG_SECONDS = 1
TEXT = "Vous avez achete 1050 FCFA d'unites pour le {account}. Frais: 0 FCFA. Nouveau solde: 12340 FCFA. ID Trans: {reference}."

THEIRS = """
from airflow.sdk import DAG, task

with DAG("their_own", schedule=None):

    @task
    def work():
        import sqlalchemy
        return sqlalchemy.__version__

    work()
"""

CONFIGURATION = Template('''
[store]
url = "$store"
password = { env = "RECONCILE_DB_PASSWORD" }

[lake]
path = "s3://$bucket/$brand"

[reports]
path = "reports"

[airflow]
dag_prefix = "${brand}_"
tags = ["money", "$brand"]
pool = "$brand"
schedules = { feeds = "manual", report = "manual", housekeeping = "manual" }
connections = { RECONCILE_DB_PASSWORD = "reconcile_db", OCS_PASSWORD = "ocs" }

[[flow]]
name = "topup"
asset = "XOF"
since = $since
zone = "Africa/Abidjan"

[[feed]]
name = "smsc"
flow = "topup"
side = "confirmation"
reader = "csv"
location = "drops/smsc/*.csv"
provider = "$brand"
region = "CI"
senders = ["MaxIt"]

[[feed]]
name = "ocs"
flow = "topup"
side = "ledger"
reader = "sql"
location = "$ledger"
password = { env = "OCS_PASSWORD" }
query = """
SELECT entry_id, type, msisdn AS account, amount, currency, reference, posted_at
FROM recharges WHERE posted_at >= :since AND posted_at < :until
"""
region = "CI"
kinds = { purchase = ["RECHARGE"], reversal = ["REVERSAL"] }
completeness = { kind = "snapshot", commit_lag = "1s", overlap = "10m" }
''')

LEDGER = """
CREATE TABLE recharges (
    entry_id text PRIMARY KEY, type text, msisdn text, amount numeric(12, 2), currency text, reference text, posted_at timestamptz
);
CREATE INDEX ON recharges (posted_at);
"""


@dataclass(frozen=True)
class Purchase:
    """One of a minute, from a hundred minutes ago on."""

    number: int

    @property
    def account(self) -> str:
        return f"07{self.number:08d}"

    @property
    def at(self) -> datetime:
        return NOW - timedelta(minutes=100 - self.number)

    @property
    def reference(self) -> str:
        return f"RC{self.at:%y%m%d.%H%M}.A{self.number:05d}"

    def message(self) -> dict[str, str]:
        text = TEXT.format(account=self.account, reference=self.reference)
        sent_at = self.at.isoformat()
        return {"id": f"M{self.number}", "sender": "MaxIt", "recipient": self.account, "text": text, "sent_at": sent_at}

    def entry(self, posted_at: datetime) -> dict[str, object]:
        return {"key": f"E{self.number}", "msisdn": self.account, "reference": self.reference, "posted_at": posted_at}


@dataclass(frozen=True)
class Place:
    """What is around the deployment: the folder of all, the operator's ledger, the tables of a brand."""

    folder: Path
    ledger: sa.Engine
    store: sa.Engine

    def drop(self, name: str, purchases: list[Purchase]) -> None:
        """A CSV with its control file, which says up to when nothing is missing."""
        folder = self.folder / "shop" / "drops" / "smsc"
        folder.mkdir(parents=True, exist_ok=True)
        rows = [one.message() for one in purchases]
        with (folder / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        said = {"file": name, "rows": len(rows), "complete_through": datetime.now(UTC).isoformat()}
        (folder / f"{name}.ctl").write_text(json.dumps(said))

    def credit(self, entries: list[dict[str, object]]) -> None:
        """The ledger's own table changes."""
        with self.ledger.begin() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO recharges VALUES (:key, 'RECHARGE', :msisdn, 1050, 'XOF', :reference, :posted_at)"
                ),
                entries,
            )

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with self.store.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a server that speaks S3, with an empty bucket."""
    port = Ports().free(5055)
    command = [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        address = f"http://{LOOPBACK}:{port}"
        client = bucket(address)
        client.create_bucket(Bucket=BUCKET)
        client.close()
        yield address
        server.kill()


def bucket(address: str) -> Any:
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=address, **keys)


@pytest.fixture(scope="module")
def theirs(uv: Path, place: Path, postgres: EmbeddedPostgres, s3: str) -> Iterator[Elsewhere]:
    """The deployment as it was before we came."""
    environment = Environment(uv, place / "env")
    environment.install("apache-airflow", "asyncpg", "psycopg2-binary", constraints=LOCK)
    home = place / "airflow"
    (home / "dags").mkdir(parents=True)
    (home / "dags" / "their_own.py").write_text(THEIRS)
    aws = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    deployment = Elsewhere(environment, home, postgres.database("their_airflow"), {**aws, "AWS_ENDPOINT_URL": s3})
    deployment.type("airflow", "db", "migrate")
    yield deployment
    deployment.stop()


@pytest.fixture(scope="module")
def around(place: Path, postgres: EmbeddedPostgres) -> Iterator[Place]:
    ledger = sa.create_engine(postgres.database("their_ledger"))
    store = sa.create_engine(
        postgres.database("shop", owner="reconcile"), connect_args={"options": "-csearch_path=reconcile"}
    )
    with ledger.begin() as connection:
        connection.execute(sa.text(LEDGER))
    yield Place(place, ledger, store)
    ledger.dispose()
    store.dispose()


@pytest.fixture(scope="module")
def installed(theirs: Elsewhere, wheel: Path, around: Place, postgres: EmbeddedPostgres) -> Elsewhere:
    """What the documentation tells to type, for two brands, until their DAGs are there and on."""
    theirs.environment.install(f"{wheel}[airflow,reports,s3]", constraints=LOCK)
    # PostgreSQL knows who calls here, and asks for no password; ours must have one all the same where one is configured.
    for connection in ("RECONCILE_DB", "OCS"):
        theirs.variables[f"AIRFLOW_CONN_{connection}"] = "postgresql://somebody:hush@localhost/"
    dags = Path(theirs.type("reconcile", "dags").strip())
    bundles = [{"name": "dags-folder", "classpath": LOCAL, "kwargs": {}}]
    for brand in BRANDS:
        folder = around.folder / brand
        folder.mkdir()
        (folder / "reconcile.toml").write_text(
            CONFIGURATION.substitute(
                brand=brand,
                bucket=BUCKET,
                store=postgres.database(brand, owner="reconcile"),
                ledger=postgres.url("their_ledger"),
                since=f"{NOW - timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}",
            )
        )
        for file in dags.glob("*.py"):
            (folder / file.name).symlink_to(file)
        bundles.append({"name": brand, "classpath": LOCAL, "kwargs": {"path": str(folder)}})
    theirs.variables["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"] = json.dumps(bundles)
    with ThreadPoolExecutor() as typists:  # each command spends seconds on its imports
        commands = [("airflow", "pools", "set", brand, "4", "tasks of reconcile") for brand in BRANDS]
        commands += [
            ("reconcile", "--config", str(around.folder / brand / "reconcile.toml"), "migrate") for brand in BRANDS
        ]
        passwords = {"RECONCILE_DB_PASSWORD": "hush"}  # a task has it from the connection, a person's shell has not
        list(typists.map(lambda command: theirs.type(*command, **passwords), commands))
    theirs.start()
    names = [file.stem for file in dags.glob("*.py") if file.stem != "reconcile_dags"]
    theirs.wait_for_dags("their_own", *(f"{brand}_{name}" for brand in BRANDS for name in names))
    theirs.type("airflow", "dags", "unpause", "--yes", "--treat-dag-id-as-regex", "(shop|kiosk|their)_.*")
    return theirs


def tick(installed: Elsewhere, number: int) -> None:
    """The chain of the shop runs; `number`: which time it is."""
    installed.type("airflow", "dags", "trigger", "shop_feeds")
    for name in CHAIN:
        installed.wait_for_runs(f"shop_{name}", number)


@dataclass(frozen=True)
class Seen:
    """What was there after the first tick of the shop, and when all had run."""

    first_cases: list[tuple[object, ...]]
    kiosk_runs: dict[str, int]
    shop_runs: dict[str, int]
    objects: list[str]


@pytest.fixture(scope="module")
def seen(installed: Elsewhere, around: Place, s3: str) -> Seen:
    """Two ticks of the shop and its report; then the kiosk takes in what there is."""
    bought = [Purchase(number) for number in range(PURCHASES)]
    around.drop("1.csv", bought)
    around.credit([one.entry(one.at + timedelta(seconds=4)) for one in bought if one.number not in MISSING])
    tick(installed, 1)
    first_cases = around.ask(CASES)
    around.drop("2.csv", [Purchase(BOUGHT_LAST)])
    around.credit([Purchase(number).entry(datetime.now(UTC)) for number in (COMES_LATE, BOUGHT_LAST)])
    time.sleep(COMMIT_LAG_SECONDS)
    tick(installed, 2)
    kiosk_runs = installed.runs("kiosk_")
    for dag_id in ("shop_report", "their_own", "kiosk_feeds"):
        installed.type("airflow", "dags", "trigger", dag_id)
    for dag_id in ("shop_report", "their_own", "kiosk_reconcile"):
        installed.wait_for_runs(dag_id, 1)
    client = bucket(s3)
    objects = [one["Key"] for one in client.list_objects_v2(Bucket=BUCKET)["Contents"]]
    client.close()
    return Seen(first_cases, kiosk_runs, installed.runs("shop_"), objects)


def test_csv_drops_and_a_changing_table_become_batches_in_a_lake_on_s3(seen: Seen, around: Place) -> None:
    found = around.ask("select feed, status, sum(published_rows), sum(raw_rows) from batches group by 1, 2 order by 1")
    # The second read of the table begins before the end of the first, and finds nothing there twice.
    assert [row[:3] for row in found] == [("ocs", "published", PURCHASES - 1), ("smsc", "published", PURCHASES + 1)]
    assert [key for key in seen.objects if key.startswith("shop/published/ocs/")] != []
    assert [key for key in seen.objects if not key.startswith(("shop/", "kiosk/"))] == []


def test_what_was_never_credited_is_found_and_in_shadow_nobody_is_paid_or_told(seen: Seen, around: Place) -> None:
    assert sorted(seen.first_cases) == [
        ("open", "never_credited", 1050, Purchase(n).reference) for n in sorted(MISSING)
    ]
    assert around.ask("select (select count(*) from intents), (select count(*) from notices)") == [(0, 0)]


def test_a_credit_that_comes_late_closes_its_case_at_the_next_run(seen: Seen, around: Place) -> None:
    closed = [("closed", "late_credit", 0, Purchase(COMES_LATE).reference)]
    still_open = [("open", "never_credited", 1050, Purchase(n).reference) for n in sorted(MISSING) if n != COMES_LATE]
    assert sorted(around.ask(CASES)) == sorted(closed + still_open)


def test_the_statement_accounts_for_every_unit(seen: Seen, around: Place) -> None:
    rows: Counter[str] = Counter()
    for report in (around.folder / "shop" / "reports").glob("*/statement.csv"):
        for line in csv.DictReader(report.read_text().splitlines()):
            rows[f"{line['side']} {line['line']}"] += int(line["rows"])
    owed = len(MISSING) - 1
    assert {line: count for line, count in rows.items() if count and not line.startswith("balance")} == {
        "confirmation confirmed": PURCHASES + 1,
        "confirmation credited": PURCHASES + 1 - owed,
        "confirmation owed": owed,
        "ledger posted": PURCHASES + 1 - owed,
        "ledger credited": PURCHASES + 1 - owed,
    }


def test_their_own_dag_runs_as_before(seen: Seen, installed: Elsewhere) -> None:
    assert installed.runs("their_own") == {"their_own": 1}


def test_prefix_pool_and_tags_are_those_of_the_configuration(seen: Seen, installed: Elsewhere) -> None:
    pools = installed.ask("select distinct split_part(dag_id, '_', 1), pool from task_instance order by 1")
    assert pools == [("kiosk", "kiosk"), ("shop", "shop"), ("their", "default_pool")]
    tags = installed.ask("select distinct split_part(dag_id, '_', 1), name from dag_tag order by 1, 2")
    assert tags == [("kiosk", "kiosk"), ("kiosk", "money"), ("shop", "money"), ("shop", "shop")]


def test_two_installations_do_not_wake_each_other(seen: Seen, installed: Elsewhere) -> None:
    assert seen.kiosk_runs == {}
    assert seen.shop_runs == {**{f"shop_{name}": 2 for name in CHAIN}, "shop_report": 1}
    assert installed.runs("kiosk_").keys() >= {"kiosk_feeds", "kiosk_reconcile"}


def test_no_log_holds_a_phone_number_or_a_password(seen: Seen, installed: Elsewhere) -> None:
    text = "".join(log.read_text(errors="replace") for log in installed.home.rglob("*.log"))
    assert "take_feed" in text
    assert [one for one in range(PURCHASES) if Purchase(one).account in text or Purchase(one).account[1:] in text] == []
    assert "hush" not in text
