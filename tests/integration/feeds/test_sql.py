"""A ledger that is a table in somebody's PostgreSQL."""

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from reconcile.feeds import withdrawal
from reconcile.feeds.limits import Limits
from reconcile.feeds.sql import reading
from reconcile.feeds.sql.source import FETCHED_ROWS, Source, SourceError
from reconcile.jobs.withdrawing import withdraw_batch

from .charging import QUERY, keys

ROOT = Path(__file__).parents[3]


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


def test_a_silent_table_moves_the_watermark(reader):
    operator = reader()
    operator.take("ocs")
    first = operator.watermark("ocs")
    operator.take("ocs")
    assert operator.watermark("ocs") > first
    assert [batch["raw_rows"] for batch in operator.query("select * from batches")] == [0, 0]


def test_the_watermark_never_goes_beyond_business_time(reader, charging):
    """A sandbox's day is another than the database's; so is the time of a database whose clock is wrong."""
    noon = datetime(2024, 7, 9, 12, tzinfo=UTC)
    operator = reader(since=noon - timedelta(days=1))
    operator.at(noon)
    charging.post("E1", posted_at=noon - timedelta(minutes=5))
    operator.take("ocs")
    assert keys(operator) == ["E1"]
    assert operator.watermark("ocs") == noon - timedelta(seconds=1)


def test_a_row_that_is_dated_in_the_future_is_quarantined_and_counts_when_it_is_mended(reader, charging):
    operator = reader()
    charging.post("E1", posted_at=datetime.now(UTC) + timedelta(days=300))
    operator.take("ocs")
    operator.take("ocs")
    (held,) = operator.query("select * from quarantine where status = 'held'")
    assert held["reason"].startswith("time_is_possible")
    charging.run("UPDATE entries SET posted_at = now()")
    operator.take("ocs")
    assert keys(operator) == ["E1"]
    assert [row["status"] for row in operator.query("select status from quarantine")] == ["superseded"]


def fill(charging, rows):
    """Rows evenly over the last twenty hours."""
    charging.run(
        "INSERT INTO entries (entry_id, reference, posted_at) "
        "SELECT 'E' || i, 'RC-E' || i, now() - interval '20 hours' * (i - 1) / :rows FROM generate_series(1, :rows) AS i",
        rows=rows,
    )


def test_a_long_first_read_comes_in_parts_that_move_the_watermark_one_by_one(reader, charging, monkeypatch):
    monkeypatch.setattr(reading, "READS_PER_RUN", 3)
    operator = reader()
    fill(charging, 300)
    watermarks = []
    while len(keys(operator)) < 300:
        operator.take("ocs", limits=Limits(read_rows=90))
        watermarks.append(operator.watermark("ocs"))
    assert len(set(keys(operator))) == 300
    assert watermarks == sorted(set(watermarks)), "each run moves it"
    assert len(watermarks) >= 2
    assert max(batch["raw_rows"] for batch in operator.query("select raw_rows from batches")) <= 90
    assert datetime.now(UTC) - watermarks[-1] < timedelta(minutes=1)


def test_rows_are_fetched_a_few_at_a_time(reader, charging):
    fill(charging, 2 * FETCHED_ROWS + 1)
    configuration = reader().world.configuration
    source = Source(configuration, configuration.feed("ocs"), seconds=60)
    sizes = source.read(
        datetime.now(UTC) - timedelta(days=1), reading.END_OF_TIME, lambda rows: [*map(len, rows.partitions)]
    )
    assert sum(sizes) == 2 * FETCHED_ROWS + 1
    assert max(sizes) == FETCHED_ROWS


def test_more_rows_at_one_instant_than_a_delivery_holds_are_told_and_what_comes_before_is_taken(
    reader, charging, monkeypatch
):
    monkeypatch.setattr(reading, "_SHORTEST", timedelta(minutes=20))
    operator = reader()
    charging.post("E1", posted_at=datetime.now(UTC) - timedelta(hours=2))
    moment = datetime.now(UTC) - timedelta(hours=1)
    for number in range(9):
        charging.post(f"F{number}", posted_at=moment)
    with pytest.raises(SourceError, match="gives more than 5 rows"):
        operator.take("ocs", limits=Limits(read_rows=5))
    assert keys(operator) == ["E1"]
    assert operator.watermark("ocs") <= moment


def test_a_read_that_fails_midway_leaves_nothing(reader, charging):
    fill(charging, 20_000)
    query = f"{QUERY.replace('amount', '1000 / (length(entry_id) - 6) AS amount')} ORDER BY posted_at DESC"
    operator = reader(query=query)  # the oldest rows have ids of six characters
    with pytest.raises(SourceError) as caught:
        operator.take("ocs")
    assert str(caught.value) == "feed ocs: its query failed: DivisionByZero (22012)"
    assert operator.query("select * from batches") == []
    assert list(operator.folder.rglob("lake/**/*.gz")) == []
    assert operator.watermark("ocs") is None


def test_values_land_with_the_digits_zones_and_nulls_that_the_database_has(reader, charging):
    charging.run(
        "ALTER TABLE entries ADD COLUMN local timestamp, ADD COLUMN raw bytea, ADD COLUMN share float8, ADD COLUMN ok bool"
    )
    operator = reader(query=QUERY.replace("posted_at\n", "posted_at, local, raw, share, ok\n", 1), zone="Africa/Lagos")
    charging.post("E1", amount=Decimal("1050.00"), local="2024-07-09 12:00:00.12", raw=b"\0\xff", share=0.1, ok=True)
    operator.take("ocs")
    (batch,) = operator.query("select landed_path from batches")
    with operator.world.lake.open(batch["landed_path"]) as packed:
        line = gzip.decompress(packed.read()).decode()
    row = json.loads(line, parse_float=Decimal)
    assert (str(row["amount"]), row["external_id"], row["ok"]) == ("1050.00", None, True)
    assert row["local"] == "2024-07-09T12:00:00.120000"
    assert row["posted_at"].endswith("+01:00"), "an instant has its zone"
    assert (row["raw"], row["share"]) == ({"bytes": "00ff"}, {"float": "0.1"})


def test_a_column_of_floating_point_numbers_is_refused_until_the_query_writes_them_out(reader, charging):
    charging.run("ALTER TABLE entries ALTER COLUMN amount TYPE float8")
    charging.post("E1", amount=1050.5)
    with pytest.raises(SourceError, match=r"'amount' holds values of type float.*CAST"):
        reader().take("ocs")
    operator = reader(query=QUERY.replace("amount", "CAST(amount AS numeric(18, 0)) AS amount"))
    operator.take("ocs")
    assert keys(operator) == ["E1"]


def test_a_column_that_the_query_does_not_give_is_named(reader):
    with pytest.raises(SourceError, match="does not give the column 'msisdn'; it gives entry_id, type, amount"):
        reader(query=QUERY.replace("msisdn,", "")).take("ocs")


def test_times_without_a_zone_are_compared_in_the_feeds(reader, charging):
    charging.run("ALTER TABLE entries ALTER COLUMN posted_at TYPE timestamp")
    operator = reader(zone="Asia/Kathmandu")
    now = datetime.now(UTC)
    charging.post(
        "E1", posted_at=(now - timedelta(seconds=30)).astimezone(ZoneInfo("Asia/Kathmandu")).replace(tzinfo=None)
    )
    operator.take("ocs", limits=Limits(read_rows=1))
    assert [row["posted_at"] for row in operator.published("ocs")] == [now - timedelta(seconds=30)]


def test_a_session_cannot_write(reader, charging):
    charging.run(
        "CREATE FUNCTION touch() RETURNS text LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO entries (entry_id) VALUES ('X'); RETURN 'RECHARGE'; END $$"
    )
    charging.post("E1")
    with pytest.raises(SourceError, match="ReadOnlySqlTransaction: cannot execute INSERT in a read-only transaction"):
        reader(query=QUERY.replace("type", "touch() AS type")).take("ocs")
    assert charging.run("SELECT count(*) FROM entries").scalar_one() == 1


def test_a_row_that_changes_in_place_is_two_statements(reader, charging):
    operator = reader()
    charging.post("E1", amount=1050)
    operator.take("ocs")
    charging.run("UPDATE entries SET amount = 500")
    operator.take("ocs")
    assert keys(operator) == ["E1"]
    (held,) = operator.query("select * from quarantine")
    assert held["reason"].startswith("key_has_one_content")


def test_rows_whose_status_changes_are_read_when_they_are_final(reader, charging):
    """The query that `docs/feeds.md` recommends for such tables."""
    charging.run(
        "CREATE TABLE transactions (id text, status text, msisdn text DEFAULT '0707123456', amount numeric DEFAULT 1050, "
        "currency text DEFAULT 'XOF', receipt text, completed_at timestamptz, reversed_at timestamptz)"
    )
    query = re.search(r"```sql\n(.*?)```", (ROOT / "docs" / "feeds.md").read_text(), re.DOTALL)[1]
    operator = reader(query=query, columns={})
    charging.run(
        "INSERT INTO transactions (id, status, receipt) VALUES ('T1', 'PENDING', 'RC-1'), ('T2', 'PENDING', 'RC-2')"
    )
    operator.take("ocs")
    charging.run("UPDATE transactions SET status = 'SUCCESS', completed_at = now()")
    operator.take("ocs")
    charging.run("UPDATE transactions SET status = 'REVERSED', reversed_at = now() WHERE id = 'T2'")
    operator.take("ocs")
    found = sorted((row["reference"], row["amount_minor"]) for row in operator.published("ocs"))
    assert found == [("RC-1", 1050), ("RC-2", -1050), ("RC-2", 1050)]
    assert operator.query("select * from quarantine") == []


def test_a_refused_read_is_read_again_and_made_good(reader, charging):
    operator = reader()
    charging.post(*(f"E{number}" for number in range(8)), amount=None)
    operator.take("ocs")
    assert [batch["status"] for batch in operator.query("select * from batches")] == ["refused"]
    assert operator.watermark("ocs") is None
    charging.run("UPDATE entries SET amount = 1050")
    operator.take("ocs")
    assert len(keys(operator)) == 8
    assert datetime.now(UTC) - operator.watermark("ocs") < timedelta(minutes=1)


def test_a_part_that_is_refused_in_the_middle_holds_the_watermark_and_is_made_good(reader, charging, monkeypatch):
    monkeypatch.setattr(reading, "_FEWER", 2)
    operator = reader()
    fill(charging, 120)
    bad = "UPDATE entries SET amount = {} WHERE substr(entry_id, 2)::int BETWEEN 50 AND 70"
    charging.run(bad.format("NULL"))
    limits = Limits(read_rows=70)
    for _ in range(2):
        operator.take("ocs", limits=limits)
        assert datetime.now(UTC) - operator.watermark("ocs") > timedelta(hours=6)
        assert len(set(keys(operator))) == len(keys(operator)) < 120
    charging.run(bad.format("1050"))
    for _ in range(2):
        operator.take("ocs", limits=limits)
    assert len(set(keys(operator))) == len(keys(operator)) == 120
    assert datetime.now(UTC) - operator.watermark("ocs") < timedelta(minutes=1)


def test_a_withdrawn_period_is_read_again(reader, charging):
    operator = reader()
    charging.post("E1")
    (batch_id,) = operator.take("ocs")
    stopped = operator.watermark("ocs")
    withdraw_batch(operator.world, UUID(batch_id), actor="user:awa", reason="wrong amounts")
    charging.run("UPDATE entries SET amount = 500")
    operator.take("ocs")
    assert [row["amount_minor"] for row in operator.published("ocs")] == [500]
    assert operator.watermark("ocs") > stopped


def test_a_withdrawn_period_that_a_person_released_is_not(reader, charging):
    operator = reader()
    charging.post("E1")
    (batch_id,) = operator.take("ocs")
    withdraw_batch(operator.world, UUID(batch_id), actor="user:awa", reason="wrong amounts")
    with operator.database.begin() as connection:
        withdrawal.release(connection, UUID(batch_id), actor="user:awa", reason="never happened", now=datetime.now(UTC))
    charging.run("DELETE FROM entries")
    before = operator.watermark("ocs")
    operator.take("ocs")
    newest = operator.query("select source from batches order by landed_at desc limit 1")[0]["source"]
    assert newest == reading.name_of(before)
