"""Everything that is delivered, published, folded and looked up lies on S3: a server of its own, talked to over HTTP."""

import json
import os
import urllib.request
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import fsspec
import pytest
import sqlalchemy as sa

from reconcile import config
from reconcile.desk import lake_file
from reconcile.desk.message_text import message_text
from reconcile.domain.clock import FixedClock
from reconcile.feeds import inbox
from reconcile.feeds.inbox import UnreachableError
from reconcile.jobs.fold_flow import fold_flow
from reconcile.jobs.take_feed import take_feed
from reconcile.jobs.world import World
from reconcile.jobs.write_report import write_report
from reconcile.remedy import modes
from reconcile.store.database import Database
from reconcile.store.lake import Lake

NOON = datetime(2024, 7, 9, 12, tzinfo=UTC)
HEADER = "entry_id,type,account,amount,currency,reference,posted_at"


def configuration(inbox):
    return {
        "flow": [{"name": "topup", "asset": "XOF", "since": datetime(2024, 7, 9, tzinfo=UTC)}],
        "feed": [
            {
                "name": "smsc", "flow": "topup", "side": "confirmation", "reader": "jsonl",
                "location": f"{inbox}/smsc/*.jsonl", "provider": "maxit", "senders": ["MaxIt"],
            },
            {
                "name": "ocs", "flow": "topup", "side": "ledger", "reader": "csv", "location": f"{inbox}/ocs/*.csv",
                "kinds": {"purchase": ["RECHARGE"]},
            },
        ],
    }  # fmt: skip


@dataclass
class Shop:
    """An operator that delivers to an inbox anywhere, and the jobs that work on a lake anywhere."""

    inbox: str
    world: World

    def put(self, name, content):
        filesystem, path = fsspec.core.url_to_fs(f"{self.inbox}/{name}")
        filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
        filesystem.pipe_file(path, content.encode())

    def deliver(self, feed, name, lines, rows, through):
        self.put(f"{feed}/{name}", "".join(f"{line}\n" for line in lines))
        said = {"file": name, "rows": rows, "complete_through": through.isoformat()}
        self.put(f"{feed}/{name}.ctl", json.dumps(said))

    def messages(self, name, *purchases, through):
        rows = [
            {"id": f"M{number}", "sender": "MaxIt", "recipient": f"+225070000{number:04d}", "sent_at": at.isoformat(),
             "text": f"Vous avez achete 1050 FCFA d'unites pour le 070000{number:04d}. Frais: 0 FCFA. "
                     f"Nouveau solde: 12340 FCFA. ID Trans: RC240709.1145.A{number:05d}."}
            for number, at in purchases
        ]  # fmt: skip
        self.deliver("smsc", name, [json.dumps(row) for row in rows], len(rows), through)

    def ledger(self, name, *credited, through):
        lines = [
            f"E{number},RECHARGE,+225070000{number:04d},1050,XOF,RC240709.1145.A{number:05d},{at.isoformat()}"
            for number, at in credited
        ]
        self.deliver("ocs", name, [HEADER, *lines], len(lines), through)

    def tick(self, now):
        self.world = replace(self.world, clock=FixedClock(now))
        for feed in ("smsc", "ocs"):
            take_feed(self.world, feed)
        return fold_flow(self.world, "topup")

    def query(self, statement):
        with self.world.database.begin() as connection:
            return connection.execute(sa.text(statement)).all()


@pytest.fixture
def shop(database_url, tmp_path):
    database = Database(database_url)

    def shop(inbox, lake):
        world = World(
            config.build(configuration(inbox), home=tmp_path, source="the test"), database, Lake(lake), FixedClock(NOON)
        )
        flow = world.configuration.flow("topup")
        limits = modes.Limits.of(flow, world.configuration.policy("topup"))
        with database.begin() as connection:
            modes.activate(
                connection, flow="topup", mode="shadow", limits=limits, actor="test", reason="test", now=NOON
            )
        return Shop(inbox, world)

    yield shop
    database.dispose()


def live_a_day(shop):
    """Three purchases, one of them credited late and one never, in two runs; then a report and the desk's look-ups."""
    bought = NOON - timedelta(minutes=40)
    first = NOON - timedelta(minutes=5)
    shop.messages("1.jsonl", (1, bought), (2, bought), (3, bought), through=first)
    shop.ledger("1.csv", (1, bought + timedelta(seconds=3)), through=first)
    assert shop.tick(first)
    assert sorted(shop.query("select kind, status from cases")) == [("never_credited", "open")] * 2

    shop.messages("2.jsonl", through=NOON)
    shop.ledger("2.csv", (2, first + timedelta(minutes=1)), through=NOON)
    assert shop.tick(NOON)
    assert sorted(shop.query("select kind, status from cases")) == [
        ("late_credit", "closed"), ("never_credited", "open"),
    ]  # fmt: skip
    assert shop.query("select verdict from statements") == [("breaks",)]

    written = write_report(shop.world, date(2024, 7, 9))
    [listed] = [Path(path).read_text() for path in written if path.endswith("cases.csv")]
    assert "RC240709.1145.A00003" in listed
    [late] = lake_file.purchases_by_reference(shop.world, "RC240709.1145.A00002")
    assert [(entry.tie, entry.found_by) for entry in lake_file.entries_of(shop.world, late)] == [
        ("reference", "reference")
    ]
    assert "1050 FCFA" in message_text(shop.world, late).text


def test_a_day_is_taken_folded_reported_and_looked_up_with_inbox_and_lake_on_s3(shop, s3, tmp_path):
    live_a_day(shop(f"{s3}/inbox", f"{s3}/lake"))
    assert not list(tmp_path.rglob("*.parquet"))
    found = fsspec.filesystem("s3").find(f"{s3}/lake")
    assert len([path for path in found if "/published/" in path]) == 3
    assert len([path for path in found if path.endswith("/matches.parquet")]) == 2


def test_a_place_that_is_no_object_store_goes_the_same_way(shop):
    live_a_day(shop("memory://inbox", "memory://lake"))
    assert not [path for path in fsspec.filesystem("memory").find("/lake") if path.endswith(".partial")]


def test_a_bucket_that_is_not_there_is_an_error_and_not_a_feed_without_deliveries(shop, s3):
    with pytest.raises(
        UnreachableError, match=r"feed smsc: s3://no-such-bucket/smsc/\*\.jsonl cannot be listed: .*bucket"
    ):
        take_feed(shop("s3://no-such-bucket", f"{s3}/lake").world, "smsc")


@pytest.fixture
def locked_out(s3):
    """The server knows no key of ours any more."""
    address = os.environ["AWS_ENDPOINT_URL"]

    def answers_without_keys(requests):
        text = {"Content-Type": "text/plain"}
        request = urllib.request.Request(f"{address}/moto-api/reset-auth", requests.encode(), text)
        urllib.request.urlopen(request, timeout=10).close()

    answers_without_keys("0")
    yield
    answers_without_keys("inf")


def test_a_bucket_that_may_not_be_listed_is_an_error_that_says_so(shop, s3, locked_out):
    with pytest.raises(UnreachableError, match=r"feed ocs: .* cannot be listed: .*(Access|access|denied|Forbidden)"):
        take_feed(shop(f"{s3}/inbox", f"{s3}/lake").world, "ocs")


def test_an_object_that_may_not_be_read_holds_up_its_period_and_nothing_else(shop, s3):
    there = shop(f"{s3}/inbox", f"{s3}/lake")
    for name, minutes in (("1.csv", 20), ("2.csv", 10), ("3.csv", 0)):
        there.ledger(name, through=NOON - timedelta(minutes=minutes))
    deny(s3, "s3:GetObject", "inbox/ocs/2.csv")
    with pytest.raises(ExceptionGroup) as raised:
        take_feed(there.world, "ocs")
    [error] = raised.value.exceptions
    assert str(error).startswith("2.csv: ")
    assert "enied" in str(error) or "orbidden" in str(error)
    assert sorted(there.query("select source, status from batches")) == [
        ("1.csv", "published"), ("3.csv", "published"),
    ]  # fmt: skip
    assert there.query("select watermark from feeds") == [(NOON - timedelta(minutes=20),)]
    allow(s3)
    take_feed(there.world, "ocs")
    assert there.query("select watermark from feeds") == [(NOON,)]


@pytest.mark.parametrize("what", ["gone", "replaced"])
def test_an_object_that_changes_while_it_is_read_is_not_taken_half(shop, s3, monkeypatch, what):
    there = shop(f"{s3}/inbox", f"{s3}/lake")
    there.ledger("1.csv", (1, NOON - timedelta(minutes=1)), through=NOON)
    there.ledger("2.csv", through=NOON)
    filesystem = fsspec.filesystem("s3")
    opened = inbox.Inbox.open

    def meanwhile(self, path):
        stream = opened(self, path)
        if path.endswith("/1.csv"):
            filesystem.rm(path) if what == "gone" else filesystem.pipe_file(path, b"something else and longer " * 9)
        return stream

    monkeypatch.setattr(inbox.Inbox, "open", meanwhile)
    with pytest.raises(ExceptionGroup, match=r"feed ocs: 1 deliveries could not be taken"):
        take_feed(there.world, "ocs")
    assert there.query("select source, status from batches") == [("2.csv", "published")]
    assert there.query("select watermark from feeds") == [(None,)]
    assert not [path for path in filesystem.find(f"{s3}/lake/landed") if path.endswith("1.csv")]


def test_an_object_whose_parts_were_never_put_together_is_nowhere(shop, s3):
    there = shop(f"{s3}/inbox", f"{s3}/lake")
    filesystem = fsspec.filesystem("s3")
    bucket = s3.removeprefix("s3://")
    upload = filesystem.call_s3("create_multipart_upload", Bucket=bucket, Key="inbox/ocs/1.csv")
    filesystem.call_s3(
        "upload_part", Bucket=bucket, Key="inbox/ocs/1.csv", PartNumber=1, UploadId=upload["UploadId"],
        Body=f"{HEADER}\n".encode(),
    )  # fmt: skip
    there.put("ocs/1.csv.ctl", json.dumps({"file": "1.csv", "rows": 0, "complete_through": NOON.isoformat()}))
    assert take_feed(there.world, "ocs") == []
    assert there.query("select watermark from feeds") == [(None,)]


def test_what_arrives_short_in_the_lake_is_named_by_nobody(shop, s3, monkeypatch):
    there = shop(f"{s3}/inbox", f"{s3}/lake")
    there.ledger("1.csv", (1, NOON - timedelta(minutes=1)), through=NOON)
    filesystem = there.world.lake.filesystem
    whole = filesystem.put_file

    def cut(local, remote):
        filesystem.pipe_file(remote, Path(local).read_bytes()[:-1])

    monkeypatch.setattr(filesystem, "put_file", cut)
    with pytest.raises(ExceptionGroup) as raised:
        take_feed(there.world, "ocs")
    assert "bytes of" in str(raised.value.exceptions[0])
    assert there.query("select count(*) from batches") == [(0,)]
    monkeypatch.setattr(filesystem, "put_file", whole)
    take_feed(there.world, "ocs")
    assert there.query("select status, published_rows from batches") == [("published", 1)]


def deny(s3, action, key=None):
    bucket = s3.removeprefix("s3://")
    resource = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource}],
    }
    fsspec.filesystem("s3").call_s3("put_bucket_policy", Bucket=bucket, Policy=json.dumps(policy))


def allow(s3):
    fsspec.filesystem("s3").call_s3("delete_bucket_policy", Bucket=s3.removeprefix("s3://"))
