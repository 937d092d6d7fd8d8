"""Where jobs read and write: every job says so, and no secret gets into a URI."""

from pathlib import Path

import pytest

from reconcile import config
from reconcile.runtime.lineage import lineage_of

FLOW = {"name": "topup", "asset": "XOF", "since": "2024-07-09T00:00:00Z"}
FEED = {"name": "ocs", "flow": "topup", "side": "ledger", "reader": "csv"}
SECRET = {"env": "X"}


def lineage(**sections):
    built = config.build({"flow": [FLOW], **sections}, home=Path("/srv/reconcile"), source="test")
    return lineage_of(built)


def feed_place(location, **keys):
    return lineage(feed=[FEED | {"location": location} | keys])["take_feed"].reads


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("inbox/ocs/*.csv", "file:///srv/reconcile/inbox/ocs"),
        ("/data/2024-*/ocs.csv", "file:///data"),
        ("/data/ocs/all.csv", "file:///data/ocs/all.csv"),
        ("*.csv", "file:///srv/reconcile"),
        ("s3://bucket/in/ocs/*.csv.gz", "s3://bucket/in/ocs"),
        ("sftp://user@host/out/*.csv", "sftp://host/out"),
    ],
)
def test_a_feed_is_read_where_its_files_appear(location, place):
    assert feed_place(location) == (place,)


def test_the_chain_hangs_together_from_the_feeds_to_the_channels():
    found = lineage(
        feed=[FEED | {"location": "in/*.csv"}],
        gateway={"topup": {"url": "https://user:hush@charging/?key=hush", "api_key": SECRET}},
        sms={"password": SECRET},
        email={},
    )
    for before, after in (
        ("take_feed", "fold_flow"),
        ("fold_flow", "dispatch_flow"),
        ("fold_flow", "send_notices"),
        ("fold_flow", "write_report"),
    ):
        assert set(found[before].writes) & set(found[after].reads), f"{after} reads nothing that {before} writes"
    assert "reconcile://reconcile/gateways/topup" in found["dispatch_flow"].writes
    assert {"reconcile://reconcile/channels/sms", "reconcile://reconcile/channels/email"} <= set(
        found["send_notices"].writes
    )
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    ("url", "table"),
    [
        ("embedded", "postgres://localhost:5432/reconcile/money/cases"),
        ("postgresql+psycopg2://reconcile@db.internal/books", "postgres://db.internal:5432/books/money/cases"),
        ("postgresql+psycopg2://reconcile@db:6432/books?sslmode=require", "postgres://db:6432/books/money/cases"),
        ("postgresql+psycopg2://reconcile@/books?host=/run/postgresql", "postgres://localhost:5432/books/money/cases"),
    ],
)
def test_tables_are_named_as_airflow_names_them(url, table):
    assert table in lineage(store={"url": url, "schema": "money"})["fold_flow"].writes
