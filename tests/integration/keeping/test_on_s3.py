"""Housekeeping and erasure where the lake is a bucket."""

import gzip
from dataclasses import replace
from datetime import timedelta

import fsspec
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from pyarrow import ipc

from reconcile.domain.traces import Traces
from reconcile.jobs.erasing import erase
from reconcile.store.database import Database
from reconcile.store.lake import Lake
from tests.integration.keeping.conftest import FIRST, MOVED, NUMBERS, Town
from tests.integration.keeping.test_erasing import owed


@pytest.fixture
def town(tmp_path, database_url, s3):
    database = Database(database_url)
    town = Town(tmp_path, database)
    town.world = replace(town.world, lake=Lake(f"{s3}/lake"))
    yield town
    database.dispose()


def naming(s3: str, traces: Traces) -> list[str]:
    """The objects that name the number."""
    filesystem, root = fsspec.core.url_to_fs(s3)
    filesystem.invalidate_cache()
    found = []
    for path in filesystem.find(root):
        content = filesystem.cat_file(path)
        if path.endswith(".parquet"):
            with filesystem.open(path, "rb") as file:
                content = str(pq.read_table(file).to_pylist()).encode()
        elif path.endswith(".arrow"):
            content = str(ipc.open_file(content).read_all().to_pylist()).encode()
        elif path.endswith(".gz"):
            content = gzip.decompress(content)
        if traces.in_bytes(content):
            found.append(path)
    return found


def test_a_bucket_is_kept_and_forgets_a_customer(town: Town, s3):
    for number, hours in enumerate((8, 16)):
        town.trade(number, FIRST + timedelta(hours=hours))
    town.quiet_days()
    before, statements = town.seen(), town.statements()
    assert town.keep()["published files merged into days"].count == 4
    with town.database.begin() as connection:
        connection.execute(sa.text("update retired_files set retired_at = retired_at - interval '2 days'"))
    done = town.keep()["files that no row names any more"]
    assert done.count == 4 + 3, "the parts of a day on two feeds, and the folders of three runs"
    assert done.size_bytes > 0
    assert town.seen() == before
    assert town.query("select * from retired_files") == []

    owed(town, payer=NUMBERS[0], account=NUMBERS[1], since=MOVED)
    statements = town.statements()
    named = naming(s3, Traces(NUMBERS[0]))
    assert len(named) > 3
    assert any(path.endswith(".arrow") for path in named), "of a purchase that sleeps"
    erase(town.world, NUMBERS[0], reason="the customer asked", actor="user:odile")
    assert naming(s3, Traces(NUMBERS[0])) == []
    assert naming(s3, Traces(NUMBERS[1])) != []
    assert town.statements() == statements
    town.trade(90, MOVED + timedelta(days=9, hours=8))
