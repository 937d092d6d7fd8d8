"""What housekeeping removes, what it must never remove, and what becomes of it when it is killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconcile import config
from reconcile.jobs.housekeeping import needed, needed_keys
from reconcile.jobs.withdrawing import withdraw_batch
from reconcile.store import scratch, worker_lock
from reconcile.store.scratch import scratch_folder
from tests.integration.feeds.conftest import CONFIGURATION, LEDGER_HEADER, entry
from tests.integration.keeping.conftest import DELIVERIES, FIRST, LATE, NUMBERS, Town
from tests.integration.keeping.killing import killed
from tests.integration.keeping.test_erasing import credited, owed


def test_past_days_become_one_file_each_and_nothing_that_is_read_changes(town: Town):
    before, statements = town.seen(), town.statements()
    done = town.keep()
    # The first delivery of the third day ends the second one: two days of three files, on two feeds.
    assert done["published files merged into days"].count == 2 * DELIVERIES
    assert done["runs merged into days"].count == DELIVERIES
    assert town.seen() == before
    paths = town.query("select distinct feed, path from batches where complete_through < '2024-07-12' order by 1, 2")
    assert [row["feed"] for row in paths] == ["ocs", "ocs", "smsc", "smsc"]
    town.age()
    town.keep()
    assert town.kinds() == {
        "landed": 4 * (DELIVERIES + 1),
        "published": 4 + 2,
        "runs": town.kinds()["runs"],
        "keys": len(needed_keys(town.world, "topup")),
        "matches": 3,
    }
    assert town.seen() == before
    assert town.statements() == statements
    assert all(one.count == 0 for one in town.keep().values()), "a house that is kept is left alone"


def test_what_the_next_fold_may_read_is_left_and_the_fold_goes_on(town: Town):
    kept = needed(town.world, "topup")
    assert len(kept) == 2, "the last delivery of each feed"
    town.keep()
    town.age()
    town.keep()
    assert all(Path(path).exists() for path in needed(town.world, "topup"))
    assert {path for path in town.files() if path.startswith("keys/")} == needed_keys(town.world, "topup") != set()
    town.trade(DELIVERIES + 1, LATE + timedelta(hours=8))
    assert town.query("select count(*) as n from cases")[0]["n"] == 0


def test_what_sleeps_is_left_as_long_as_the_next_fold_needs_it_and_leaves_when_it_has_woken(town: Town):
    now = owed(town, NUMBERS[1], NUMBERS[1])
    segments = {path for path in needed_keys(town.world, "topup") if path.endswith(".arrow")}
    assert segments
    town.age()
    town.keep()
    assert {path for path in town.files() if path.startswith("keys/")} == needed_keys(town.world, "topup") >= segments
    credited(town, now + timedelta(hours=2))
    assert town.query("select kind from cases") == [{"kind": "late_credit"}], "it was found there"
    town.age()
    town.keep()
    assert segments.isdisjoint(town.files())
    assert {path for path in town.files() if path.startswith("keys/")} == needed_keys(town.world, "topup")


def test_a_late_delivery_for_a_past_day_joins_its_file(town: Town):
    town.keep()
    town.deliver(
        "ocs", "010.csv", f"{LEDGER_HEADER}\n{entry('L1', account=NUMBERS[0], at='2024-07-09 05:00:00')}\n", rows=1,
        through=FIRST + timedelta(hours=9),
    )  # fmt: skip
    town.take("ocs")
    town.fold()
    town.at(LATE + timedelta(days=9))
    town.trade(8, LATE + timedelta(days=9))
    before = town.seen()
    assert town.keep()["published files merged into days"].count >= 2
    assert town.seen() == before
    assert (
        len(
            town.query("select distinct path from batches where feed = 'ocs' and complete_through < '2024-07-10 00:01'")
        )
        == 1
    )


def test_rows_that_were_taken_back_from_a_merged_day_count_anew_when_they_come_again(town: Town):
    first, second = [
        (row["batch_id"], (town.folder / "inbox" / "ocs" / name).read_text())
        for name in ("000.csv", "001.csv")
        for row in town.query(f"select batch_id from batches where feed = 'ocs' and source like '%{name}'")
    ]
    town.keep()
    withdraw_batch(town.world, second[0], actor="user:ines", reason="another operator's file")
    rows = len(NUMBERS)
    town.deliver(
        "ocs", "again.csv", first[1] + second[1].split("\n", 1)[1], rows=2 * rows, through=FIRST + timedelta(hours=17)
    )
    town.take("ocs")
    (again,) = town.query("select published_rows, duplicate_rows, reason from batches where source like '%again.csv'")
    assert (again["published_rows"], again["duplicate_rows"], again["reason"]) == (rows, rows, None)


def test_a_rehearsal_says_what_would_be_done_and_does_nothing(town: Town):
    files, rows = town.files(), town.query("select * from batches order by batch_id")
    said = town.keep(dry=True)
    assert (town.files(), town.query("select * from batches order by batch_id")) == (files, rows)
    assert town.query("select * from job_runs where job = 'housekeeping'") == []
    done = town.keep()
    assert {what: one.count for what, one in said.items()} == {what: one.count for what, one in done.items()}


def test_what_is_beyond_its_retention_leaves_and_its_rows_say_so(town: Town):
    statements = town.statements()
    town.at(LATE + timedelta(days=600))
    done = town.keep()
    assert done["landed files"].count == 2 * (DELIVERIES + 1)
    assert done["published files"].count == 2 * DELIVERIES
    assert done["matches"].count == 0, "they were not merged yet"
    town.age()
    town.keep()
    town.keep()
    town.age()
    town.keep()
    assert town.kinds()["published"] == 2, "the next fold may still read the last ones"
    assert "landed" not in town.kinds()
    assert "matches" not in town.kinds()
    assert {row["landed_path"] for row in town.query("select landed_path from batches")} == {""}
    assert town.statements() == statements
    assert town.query("select count(*) as n from audit where action = 'retention'")[0]["n"] >= 2
    assert len(town.seen()) == 2 * 3 + 3 * 3, "what is left can still be looked up"
    town.trade(9, LATE + timedelta(days=600))


def test_nothing_leaves_for_its_age_while_a_legal_hold_stands(town: Town):
    town.at(LATE + timedelta(days=600))
    town.query("insert into holds values ('+2250707123456', 'a court', 'user:odile', now()) returning account")
    done = town.keep()
    assert [done[what].count for what in ("landed files", "published files", "matches", "reports")] == [0, 0, 0, 0]
    assert "legal hold" in done["landed files"].note


def test_a_landed_file_stays_while_a_row_of_it_is_held(town: Town):
    at = (LATE - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S")
    rows = [entry("Q1", amount="?", at=at), *(entry(f"Q{n}", at=at) for n in range(2, 40))]
    town.ledger("020.csv", rows, through=LATE)
    town.take("ocs")
    town.at(LATE + timedelta(days=600))
    town.keep()
    (batch,) = town.query("select landed_path from batches where source = '020.csv'")
    assert batch["landed_path"]
    assert town.query("select raw from quarantine")[0]["raw"], "what is held is not emptied"
    town.query("update quarantine set status = 'dismissed', resolved_at = quarantined_at returning 1")
    town.keep()
    assert town.batch("020.csv")["landed_path"] == ""
    assert town.query("select raw, account, reason from quarantine")[0] == {
        "raw": "", "account": None, "reason": town.query("select reason from quarantine")[0]["reason"],
    }  # fmt: skip


def test_files_that_no_row_names_leave_when_they_are_old_and_no_younger(town: Town):
    lake = town.folder / "lake"
    orphans = [
        lake / "landed/ocs/ab/abc.csv", lake / "published/ocs/dead.parquet", lake / "runs/topup/dead/state.json",
        lake / "published/ocs/.x.parquet.77.partial", lake / "matches/topup/2020-01-01.1.parquet",
        lake / "keys/topup/dead.keys.npy", lake / "keys/topup/.dead.keys.npy.77.partial",
    ]  # fmt: skip
    for path in orphans:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)
    (lake / "somebody-elses").write_bytes(b"x")
    outdated = [
        path for path in town.files() if path.startswith("keys/topup/") and path not in needed_keys(town.world, "topup")
    ]
    outdated_bytes = sum((lake / path).stat().st_size for path in outdated if lake / path not in orphans)
    assert town.keep()["files that no row ever named"].count == 0
    before = town.seen()
    town.age()
    orphans[0].write_bytes(b"a job is just writing it again")
    done = town.keep()["files that no row ever named"]
    assert (done.count, done.size_bytes) == (4 + len(outdated), 400 + 200 + outdated_bytes)
    assert [path for path in orphans if path.exists()] == orphans[:1]
    assert (lake / "somebody-elses").exists(), "what jobs do not write is not theirs to remove"
    assert town.seen() == before


def test_a_feed_that_is_being_taken_and_a_flow_that_is_being_folded_are_left_for_next_time(town: Town):
    town.age()
    with (
        worker_lock.held(town.database, worker_lock.of_feed("ocs")),
        worker_lock.held(town.database, worker_lock.of_flow("topup"), shared=True),
    ):
        done = town.keep()
        assert done["published files merged into days"].count == 0
    assert town.keep()["published files merged into days"].count == 2 * DELIVERIES


def test_two_do_not_keep_house_at_once(town: Town):
    impatient = replace(
        town.world, database=type(town.database)(town.database.url.render_as_string(hide_password=False))
    )
    import sqlalchemy as sa

    from reconcile.jobs.housekeeping import housekeep

    sa.event.listen(impatient.database.engine, "begin", lambda c: c.exec_driver_sql("set lock_timeout = '50ms'"))
    with worker_lock.held(town.database, "housekeeping"), pytest.raises(worker_lock.WorkerBusyError):
        housekeep(impatient)
    impatient.database.dispose()


def test_rows_that_are_old_leave_and_those_under_way_stay(town: Town):
    town.query(
        "insert into users (username, display_name, password_hash, role) values ('a', 'A', 'x', 'agent') returning 1"
    )
    town.query("""
        insert into sessions values ('over', 'a', 'x', now() - interval '2 hours', now() - interval '1 hour'),
            ('open', 'a', 'x', now(), now() + interval '1 hour') returning 1""")
    town.query("""
        insert into contacts (contact_id, account, channel, outcome, agent, at) values
            (gen_random_uuid(), '+2250707123456', 'desk', 'found', 'a', '2024-07-09'),
            (gen_random_uuid(), '+2250101010101', 'desk', 'found', 'a', '2024-07-09'),
            (gen_random_uuid(), '+2250707123456', 'desk', 'found', 'a', '2025-08-20') returning 1""")
    town.query("insert into holds values ('+2250101010101', 'a court', 'user:odile', now()) returning account")
    jobs = town.query("select count(*) as n from job_runs")[0]["n"]
    town.at(FIRST + timedelta(days=410))
    done = town.keep()
    assert done["sessions that are over"].count == 1
    assert [row["session_hash"] for row in town.query("select session_hash from sessions")] == ["open"]
    assert done["contacts"].count == 1
    assert done["records of jobs"].count == jobs - 3, "the last one of each job and subject stays"


def test_a_folder_of_a_killed_worker_leaves_and_that_of_a_living_one_stays(town: Town, tmp_path, monkeypatch):
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    script = (
        "import os, signal, tempfile\nfrom reconcile.store.scratch import scratch_folder\n"
        f"tempfile.tempdir = {str(place)!r}\nwith scratch_folder('feed') as folder:\n"
        "    (folder / 'delivered').write_bytes(b'private' * 1000)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    with scratch_folder("feed") as mine:
        done = town.keep()["folders of killed workers"]
        assert (done.count, done.size_bytes >= 7000) == (1, True)
        assert list(place.iterdir()) == [mine]


def test_a_folder_that_its_owner_is_removing_is_nobody_elses_to_remove(town: Town, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    remove, found = shutil.rmtree, list[object]()

    def look_and_remove(folder: str, **options: object) -> None:
        found.append((folder, scratch.abandoned()))
        remove(folder, **options)

    monkeypatch.setattr(shutil, "rmtree", look_and_remove)
    with scratch_folder("feed") as mine:
        (mine / "delivered").write_bytes(b"private")
    assert found == [(str(mine), [])]
    assert not mine.exists()


def test_what_somebody_removes_meanwhile_is_no_reason_to_stop(town: Town, monkeypatch):
    gone = town.folder / "reconcile-scratch-feed-gone"
    monkeypatch.setattr(scratch, "abandoned", lambda: [gone])
    assert town.keep()["folders of killed workers"].size_bytes == 0


def test_old_reports_and_half_written_ones_leave(town: Town):
    folder = town.folder / "var" / "reports"
    for day in ("2022-01-01", "2024-07-09", "not-a-day"):
        (folder / day).mkdir(parents=True)
        (folder / day / "statement.csv").write_text("x")
    partial = folder / "2024-07-09" / ".statement.csv.7.partial"
    partial.write_text("x")
    os.utime(partial, (time.time() - 2 * 86_400,) * 2)
    done = town.keep()
    assert (done["reports"].count, done["half-written reports"].count) == (1, 1)
    assert sorted(path.name for path in folder.iterdir()) == ["2024-07-09", "not-a-day"]
    assert [path.name for path in (folder / "2024-07-09").iterdir()] == ["statement.csv"]


NEEDS = """
from reconcile.keeping import compaction
from reconcile.store.lake import Lake
"""
MOMENTS = {
    "before a merged day is put": "die_at(Lake, 'put', 2)",
    "after a merged day is put, before its row": "die_at(compaction, 'retire', 2)",
    "between two days": "die_at(compaction, 'merge', 3)",
    "between a feed and the runs": "die_at(compaction, 'merge_runs', 1)",
    "after merged matches are put, before their row": "die_at(compaction, 'retire', 5)",
    "before a retired file is removed": "die_at(Lake, 'remove', 1)",
    "between two retired files": "die_at(Lake, 'remove', 3)",
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_a_house_keeper_killed_at_any_moment_loses_nothing(town: Town, moment):
    before, statements = town.seen(), town.statements()
    if "remove" in moment:
        town.keep()
        town.age()
    killed(town, needs=NEEDS, moment=moment, work="town.keep()")
    assert town.seen() == before, "a row never names a file that is gone"
    town.keep()
    assert town.seen() == before
    for _ in range(2):
        town.age()
        town.keep()
    assert town.seen() == before
    assert town.statements() == statements
    assert town.kinds()["published"] == 4 + 2
    assert town.kinds()["matches"] == 3
    assert town.query("select * from retired_files") == []


def test_the_command_prints_what_it_did(town: Town, monkeypatch):
    from typer.testing import CliRunner

    from reconcile.cli import app, console

    class Application:
        world = town.world

    monkeypatch.setattr(console, "application", Application)
    said = CliRunner().invoke(app, ["housekeep", "--dry-run", "--json"])
    assert said.exit_code == 0, said.output
    assert '"published files merged into days"' in said.output
    assert "published files merged into days" in CliRunner().invoke(app, ["housekeep"]).output


def test_a_retention_that_is_no_duration_is_refused():
    with pytest.raises(config.ConfigurationError, match=r"retention\.unnamed"):
        config.build({**CONFIGURATION, "retention": {"unnamed": "5m"}}, home=Path(), source="x")
