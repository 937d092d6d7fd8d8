import asyncio
import csv
import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reconcile.sandbox.credit import CreditStore
from reconcile.sandbox.database import Database
from reconcile.sandbox.day import CLOCK_END, DAY_END, DAY_START
from reconcile.sandbox.fate import Fate
from reconcile.sandbox.instants import to_iso, to_local, to_stamp
from reconcile.sandbox.publisher import Publisher
from reconcile.sandbox.world import World

NOON = DAY_START + timedelta(hours=12)
AFTERNOON = NOON + timedelta(hours=3)


@pytest.fixture
def publisher(tmp_path: Path, world: World, database: Database, credit_store: CreditStore) -> Publisher:
    return Publisher(tmp_path, world, database, credit_store)


def advance(publisher: Publisher, *instants: datetime) -> None:
    for instant in instants:
        asyncio.run(publisher.advance(instant))


def ledger(home: Path) -> list[dict[str, str]]:
    return [
        row | {"file": path.name}
        for path in sorted(home.glob("inbox/ocs/*.csv"))
        for row in csv.DictReader(path.read_text().splitlines(), delimiter=";")
    ]


def everything(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in sorted(home.glob("inbox/*/*"))}


def test_all_messages_come_out_once_however_the_day_is_cut(tmp_path: Path, publisher: Publisher, world: World):
    advance(publisher, NOON, NOON + timedelta(minutes=5), AFTERNOON, DAY_END)
    ids = []
    for path in sorted(tmp_path.glob("inbox/smsc/*.gz")):
        ids += [json.loads(line)["id"] for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert ids == [message.message_id for message in world.messages]


def test_each_file_has_a_control_that_tells_rows_sum_and_how_far_it_is_complete(tmp_path: Path, publisher: Publisher):
    advance(publisher, NOON)
    assert (tmp_path / "clock").read_text() == "2024-07-09T12:00:00Z\n"
    control = json.loads((tmp_path / "inbox/ocs/20240709T120000Z.csv.ctl").read_text())
    rows = ledger(tmp_path)
    readable = [row["amount"] for row in rows if row["amount"].lstrip("-").isdigit()]
    assert control == {
        "file": "20240709T120000Z.csv",
        "rows": len(rows),
        "sum": str(sum(map(int, readable))),
        "complete_through": to_iso(NOON),
    }
    assert not list(tmp_path.glob("inbox/*/.*"))


def test_the_directory_comes_once_with_the_first_files(tmp_path: Path, publisher: Publisher, world: World):
    advance(publisher, NOON, AFTERNOON)
    (path,) = tmp_path.glob("inbox/directory/*.csv")
    assert path.read_text().splitlines()[0] == "msisdn;language;email;channel;opt_out"
    assert len(path.read_text().splitlines()) == 1 + len(world.customers)


def test_a_silent_ledger_is_complete_all_the_same(tmp_path: Path, publisher: Publisher):
    outage = DAY_START + timedelta(hours=13, minutes=50)
    advance(publisher, outage, outage + timedelta(minutes=5), outage + timedelta(minutes=10))
    control = json.loads((tmp_path / "inbox/ocs/20240709T140000Z.csv.ctl").read_text())
    assert (control["rows"], control["sum"]) == (0, "0")
    assert control["complete_through"] == "2024-07-09T14:00:00Z"


def test_a_row_that_could_not_be_read_is_issued_again_right_in_the_next_file(
    tmp_path: Path, publisher: Publisher, world: World
):
    row = next(row for row in world.ledger if row.unreadable is not None)
    ticks = [row.posted_at + timedelta(minutes=minutes) for minutes in (1, 6, 11)]
    advance(publisher, *ticks)
    first, second = [shown for shown in ledger(tmp_path) if shown["entry_id"] == row.entry_id]
    assert (first["file"], first["amount"]) == (f"{to_stamp(ticks[0])}.csv", row.unreadable)
    assert (second["file"], second["amount"]) == (f"{to_stamp(ticks[1])}.csv", str(row.amount_minor))
    assert first["msisdn"] == second["msisdn"] == row.account
    assert first["posted_at"] == second["posted_at"] == to_local(row.posted_at)


def test_a_credit_belongs_to_the_export_after_the_clock(
    tmp_path: Path, publisher: Publisher, world: World, credit_store: CreditStore, make_request
):
    advance(publisher, NOON)
    purchase = next(p for p in world.purchases if world.fates[p.reference] is Fate.NEVER)
    credit_store.make(make_request(purchase, "attempt-1"), polls_until_done=0)
    before = everything(tmp_path)
    advance(publisher, NOON)
    assert everything(tmp_path) == before
    advance(publisher, AFTERNOON)
    (row,) = [row for row in ledger(tmp_path) if row["external_id"] == "attempt-1"]
    assert row["file"] == "20240709T150000Z.csv"
    assert (row["type"], row["reference"], row["posted_at"]) == ("RECHARGE", "", "2024-07-09 12:00:01")


def test_a_pending_credit_takes_effect_before_its_export_closes(
    tmp_path: Path, publisher: Publisher, world: World, credit_store: CreditStore, make_request
):
    advance(publisher, NOON)
    credit_store.make(make_request(world.purchases[0], "attempt-1"), polls_until_done=2)
    advance(publisher, AFTERNOON)
    assert [row["file"] for row in ledger(tmp_path) if row["external_id"]] == ["20240709T150000Z.csv"]


@pytest.mark.parametrize("written", ["nothing", "ledger alone", "everything but the tick"])
def test_an_advance_cut_short_is_finished_with_the_same_files_whatever_was_credited_meanwhile(
    tmp_path: Path, world: World, database: Database, credit_store: CreditStore, make_request, written: str
):
    publisher = Publisher(tmp_path, world, database, credit_store)
    advance(publisher, NOON)
    credit_store.make(make_request(world.purchases[0], "before"), polls_until_done=0)
    if written == "everything but the tick":
        advance(publisher, AFTERNOON)
        with database.transaction() as connection:
            connection.execute("UPDATE tick SET is_done = 0 WHERE instant = ?", (to_iso(AFTERNOON),))
    else:
        period = publisher._close(AFTERNOON)
        if written == "ledger alone":
            publisher._publish_pair("ocs", "csv", publisher._ledger_export(period), AFTERNOON)
    credit_store.make(make_request(world.purchases[1], "meanwhile"), polls_until_done=0)
    published = everything(tmp_path)

    restarted = Publisher(tmp_path, world, database, credit_store)
    asyncio.run(restarted.recover())

    assert restarted.clock.now() == AFTERNOON
    assert (tmp_path / "clock").read_text().strip() == to_iso(AFTERNOON)
    assert published.items() <= everything(tmp_path).items()
    advance(restarted, DAY_END)
    shown = {row["external_id"]: row["file"] for row in ledger(tmp_path) if row["external_id"]}
    assert shown == {"before": "20240709T150000Z.csv", "meanwhile": "20240710T000000Z.csv"}


def test_the_clock_neither_goes_back_nor_runs_away(publisher: Publisher):
    advance(publisher, NOON)
    with pytest.raises(ValueError, match="does not go back"):
        advance(publisher, NOON - timedelta(seconds=1))
    with pytest.raises(ValueError, match="the sandbox ends"):
        advance(publisher, CLOCK_END + timedelta(seconds=1))
    assert publisher.clock.now() == NOON


def test_the_same_day_cut_the_same_way_gives_the_same_bytes(tmp_path: Path, world: World):
    published = []
    for name in ("one", "two"):
        home = tmp_path / name
        home.mkdir()
        database = Database(home / "sandbox.sqlite")
        publisher = Publisher(home, world, database, CreditStore(database, world.seed))
        advance(publisher, NOON, AFTERNOON)
        database.close()
        published.append(everything(home))
    assert published[0] == published[1]
