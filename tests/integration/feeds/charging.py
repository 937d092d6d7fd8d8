"""An operator's own database, with a table of ledger entries that is read while it is written to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from reconcile.domain.clock import WallClock

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
    """The database, and connections to it."""

    def __init__(self, url, table=TABLE):
        self.engine = sa.create_engine(url, pool_size=20)
        self.url = url
        self.run(table)

    def run(self, statement, **values):
        with self.engine.begin() as connection:
            return self.on(connection, statement, **values)

    @staticmethod
    def on(connection, statement, **values):
        return connection.execute(sa.text(statement), values)

    def post(self, *keys, **values):
        with self.engine.begin() as connection:
            self.post_on(connection, *keys, **values)

    def post_on(self, connection, *keys, **values):
        """Inserts rows in a transaction that somebody else ends."""
        for key in keys:
            row = {"entry_id": key, "reference": f"RC-{key}", **values}
            self.on(connection, f"INSERT INTO entries ({', '.join(row)}) VALUES (:{', :'.join(row)})", **row)

    def clock(self):
        return self.run("SELECT clock_timestamp()").scalar_one()


def section(url, *, completeness=None, **feed):
    """The `[[feed]]` that reads the table."""
    return {
        "name": "ocs", "flow": "topup", "side": "ledger", "reader": "sql", "location": url, "query": QUERY,
        "columns": {"account": "msisdn", "own_key": "external_id"},
        "kinds": {"purchase": ["RECHARGE"], "reversal": ["REVERSAL"]},
        "completeness": {"kind": "snapshot", "commit_lag": "1s", "overlap": "1m", **(completeness or {})},
        **feed,
    }  # fmt: skip


def read_by(operator, url, *, since=None, **feed):
    """Makes the operator's only feed one that reads the table, in real time."""
    flow = {"name": "topup", "asset": "XOF", "since": since or datetime.now(UTC) - timedelta(days=1)}
    operator.configure({"flow": [flow], "feed": [section(url, **feed)]})
    operator.world = replace(operator.world, clock=WallClock())
    return operator


def keys(operator):
    """Keys of all published rows, each as often as it was published."""
    return [row["reference"].removeprefix("RC-") for row in operator.published("ocs")]
