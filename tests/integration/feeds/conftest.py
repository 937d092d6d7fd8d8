"""A world with one flow and the feeds that a test writes files for."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest

from reconcile import config
from reconcile.domain.clock import FixedClock
from reconcile.domain.ids import NAMESPACE, case_number
from reconcile.jobs.take_feed import take_feed
from reconcile.jobs.world import World
from reconcile.store.database import Database
from reconcile.store.lake import Lake

from .charging import Charging, read_by

NOON = datetime(2024, 7, 9, 12, tzinfo=UTC)
AKWABA = r"""
[[template]]
name = "akwaba"
sender = "maxit"
language = "fr"
kind = "airtime"
outcome = "success"
currency = "FCFA"
pattern = 'Akwaba! {amount} pour toi \[{reference}\]'
"""
CONFIGURATION = {
    "flow": [{"name": "topup", "asset": "XOF", "since": datetime(2024, 7, 9, tzinfo=UTC), "zone": "Africa/Abidjan"}],
    "feed": [
        {
            "name": "smsc",
            "flow": "topup",
            "side": "confirmation",
            "reader": "jsonl",
            "location": "inbox/smsc/*.jsonl*",
            "provider": "maxit",
            "senders": ["MaxIt", "OrangeMoney"],
        },
        {
            "name": "ocs",
            "flow": "topup",
            "side": "ledger",
            "reader": "csv",
            "location": "inbox/ocs/*.csv*",
            "delimiter": ";",
            "zone": "Africa/Abidjan",
            "columns": {"account": "msisdn", "own_key": "external_id"},
            "kinds": {"purchase": ["RECHARGE"], "reversal": ["REVERSAL"]},
        },
        {
            "name": "directory",
            "flow": "topup",
            "side": "directory",
            "reader": "csv",
            "location": "inbox/directory/*.csv",
            "delimiter": ";",
            "columns": {"account": "msisdn", "opted_out": "opt_out"},
        },
    ],
}
LEDGER_HEADER = "entry_id;type;msisdn;amount;currency;reference;external_id;posted_at"


class Operator:
    """Delivers files as an operator does, and takes them as the job does."""

    def __init__(self, folder, database):
        self.folder = folder
        self.database = database
        self.world = World(
            configuration=config.build(CONFIGURATION, home=folder, source="the test"),
            database=database,
            lake=Lake(str(folder / "lake")),
            clock=FixedClock(NOON),
        )

    def configure(self, configuration):
        """The same world under another configuration."""
        self.world = replace(self.world, configuration=config.build(configuration, home=self.folder, source="the test"))

    def use(self, configuration):
        self.world = replace(self.world, configuration=configuration)

    def at(self, moment):
        self.world = replace(self.world, clock=FixedClock(moment))

    def deliver(self, feed, name, content, *, rows=None, total=None, through=NOON, control=None):
        """Puts a data file and, unless `control` is False, the control file beside it."""
        path = self.folder / "inbox" / feed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if control is None:
            said = {"file": name, "rows": rows, "complete_through": through.isoformat()}
            control = json.dumps(said if total is None else {**said, "sum": total}).encode()
        if control is not False:
            (path.parent / f"{name}.ctl").write_bytes(control)
        return path

    def ledger(self, name, lines, **said):
        """Delivers ledger rows below the usual header; announces as many rows as there are unless told otherwise."""
        said.setdefault("rows", len(lines))
        return self.deliver("ocs", name, "\n".join([LEDGER_HEADER, *lines]) + "\n", **said)

    def messages(self, name, rows, **said):
        said.setdefault("rows", len(rows))
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        return self.deliver("smsc", name, gzip.compress(content) if name.endswith(".gz") else content, **said)

    def take(self, feed, **options):
        return take_feed(self.world, feed, **options)

    def case_number(self):
        """A number as our notices name it."""
        return case_number(NAMESPACE, b"a secret")

    def query(self, sql, **parameters):
        import sqlalchemy as sa

        with self.database.begin() as connection:
            return connection.execute(sa.text(sql), parameters).mappings().all()

    def published(self, feed):
        """All published rows of a feed, in the order of batches and rows."""
        import pyarrow.parquet as pq

        paths = self.query(
            "select path from batches where feed = :feed and status = 'published' and path is not null "
            "order by published_at, source",
            feed=feed,
        )
        return [row for found in paths for row in pq.read_table(self.world.lake.url(found["path"])).to_pylist()]

    def batch(self, source):
        """The newest batch that was delivered under that name."""
        (*_, newest) = self.query(
            "select b.* from batches b join deliveries d using (batch_id) where b.source = :source order by delivery_id",
            source=source,
        )
        return newest

    def check_that_nothing_is_lost(self):
        """Whatever a test delivered: of each published batch raw is the sum of its parts, in rows and in money."""
        for batch in self.query("select * from batches where status = 'published'"):
            parts = ("published", "quarantined", "duplicate", "out_of_scope")
            assert batch["raw_rows"] == sum(batch[f"{part}_rows"] for part in parts), batch["source"]
            for unit, money in batch["money"].items():
                assert money["raw"] == sum(money[part] for part in parts), (batch["source"], unit)

    def watermark(self, feed):
        (row,) = self.query("select watermark, grade from feeds where feed = :feed", feed=feed)
        return row["watermark"]


@pytest.fixture
def operator(tmp_path, database_url):
    database = Database(database_url)
    operator = Operator(tmp_path, database)
    yield operator
    operator.check_that_nothing_is_lost()
    database.dispose()


@pytest.fixture
def charging(empty_database_url):
    """The operator's own database, in the same server as ours."""
    database = Charging(empty_database_url)
    yield database
    database.engine.dispose()


@pytest.fixture
def reader(operator, charging):
    """Makes the operator's ledger a feed that reads the charging database."""
    return partial(read_by, operator, charging.url)


def entry(key, *, kind="RECHARGE", account="+2250707123456", amount="1050", reference="RC240709.1145.A00011", own="",
          at="2024-07-09 11:45:10"):  # fmt: skip
    return f"{key};{kind};{account};{amount};XOF;{reference};{own};{at}"


def message(key, text=None, *, sender="MaxIt", recipient="+2250707123456", at="2024-07-09T11:45:00Z"):
    text = text or (
        "Vous avez achete 1050 FCFA d'unites pour le 0707123456. Frais: 0 FCFA. Nouveau solde: 12340 FCFA. "
        "ID Trans: RC240709.1145.A00011."
    )
    return {"id": key, "sender": sender, "recipient": recipient, "text": text, "sent_at": at}
