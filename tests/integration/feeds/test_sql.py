"""A ledger that is a table in somebody's PostgreSQL."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from .conftest import CONFIGURATION

LEDGER = CONFIGURATION["feed"][1]
QUERY = """
SELECT entry_id, type, msisdn, amount, currency, reference, external_id, posted_at
FROM entries WHERE posted_at >= :since AND posted_at < :until
"""
TABLE = """
CREATE TABLE entries (
    entry_id text, type text DEFAULT 'RECHARGE', msisdn text DEFAULT '0707123456', amount numeric DEFAULT 1050,
    currency text DEFAULT 'XOF', reference text, external_id text, posted_at timestamptz DEFAULT now()
)
"""


class Charging:
    """The operator's own database, with a table of ledger entries."""

    def __init__(self, url):
        self.engine = sa.create_engine(url)
        self.url = sa.make_url(url).render_as_string(hide_password=False)
        self.run(TABLE)

    def run(self, statement, **values):
        with self.engine.begin() as connection:
            return connection.execute(sa.text(statement), values)

    def post(self, *keys, **values):
        for key in keys:
            row = {"entry_id": key, "reference": f"RC-{key}", **values}
            self.run(f"INSERT INTO entries ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})", **row)

    def clock(self):
        with self.engine.connect() as connection:
            return connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()


@pytest.fixture
def charging(empty_database_url):
    database = Charging(empty_database_url)
    yield database
    database.engine.dispose()


@pytest.fixture
def reader(operator, charging):
    """Makes the operator's ledger feed one that reads the table, in the present."""

    def configure(*, completeness=None, **feed):
        section = {
            "name": "ocs", "flow": "topup", "side": "ledger", "reader": "sql", "location": charging.url, "query": QUERY,
            "columns": LEDGER["columns"], "kinds": LEDGER["kinds"],
            "completeness": {"kind": "snapshot", "commit_lag": "1s", "overlap": "1m", **(completeness or {})},
        }  # fmt: skip
        flow = {**CONFIGURATION["flow"][0], "since": datetime.now(UTC) - timedelta(days=1)}
        operator.configure({"flow": [flow], "feed": [section | feed]})
        operator.at(datetime.now(UTC))
        return operator

    return configure


def keys(operator):
    return [row["reference"].removeprefix("RC-") for row in operator.published("ocs")]


def test_rows_of_a_table_are_published_and_the_watermark_is_the_databases_clock_less_the_lag(reader, charging):
    operator = reader()
    charging.post("E1", "E2", amount=Decimal("1050.00"))
    charging.post("E3", type="BONUS")
    before = charging.clock()
    operator.at(datetime.now(UTC) + timedelta(hours=1))
    assert len(operator.take("ocs")) == 1
    assert sorted(keys(operator)) == ["E1", "E2"]
    assert before <= operator.watermark("ocs") + timedelta(seconds=1) <= charging.clock()
    (feed,) = operator.query("select grade from feeds")
    assert feed["grade"] == "proven"


def test_a_second_read_publishes_nothing_twice(reader, charging):
    operator = reader()
    charging.post("E1")
    operator.take("ocs")
    charging.post("E2")
    operator.take("ocs")
    assert keys(operator) == ["E1", "E2"]
    assert [batch["duplicate_rows"] for batch in operator.query("select * from batches order by landed_at")] == [0, 1]
