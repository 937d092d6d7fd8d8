"""The whole of `reconcile run`, in a small world."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from reconcile.runtime import leftovers

CHECKOUT = Path(__file__).parents[3]
LIMIT_SECONDS = 120
STOP_LIMIT_SECONDS = 15
RUN = """
import sys
from pathlib import Path
from reconcile.daemon import run
from reconcile.runtime.ports import Ports
any_free = Ports.free
# A day that begins beside this one prefers the same ports, and may take one between the choice and its use.
Ports.free = lambda ports, preferred: any_free(ports, 0)
sys.exit(run(once=True, home=Path(sys.argv[1]), purchases=2000))
"""


class Daemon:
    """`reconcile run` in a process of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._output = home.parent / "output.txt"
        path = os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")])
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", RUN, str(home)],
                env={**os.environ, "PYTHONPATH": path},
                stdout=output,
                stderr=output,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_for(self, text: str) -> None:
        give_up = time.monotonic() + LIMIT_SECONDS
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < give_up, self.output
            time.sleep(0.1)

    def all_processes(self) -> list[psutil.Process]:
        """The daemon, PostgreSQL, and whatever else was started."""
        found = {psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)}
        for pid in leftovers.running(self.home):
            with contextlib.suppress(psutil.NoSuchProcess):
                found.add(psutil.Process(pid))
        return list(found)


@pytest.fixture
def start(home: Path) -> Iterator[Callable[[], Daemon]]:
    started: list[Daemon] = []

    def start() -> Daemon:
        started.append(Daemon(home / "var"))
        return started[-1]

    yield start
    for daemon in started:
        processes = daemon.all_processes() if daemon.process.poll() is None else []
        daemon.process.kill()
        daemon.process.wait()
        assert still_running(processes, within_seconds=STOP_LIMIT_SECONDS) == []


def listening_addresses(process: psutil.Process) -> set[str]:
    with contextlib.suppress(psutil.NoSuchProcess):
        connections = process.net_connections(kind="inet")
        return {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN}
    return set()


def still_running(processes: list[psutil.Process], *, within_seconds: float) -> list[psutil.Process]:
    """A zombie has ended: that its parent, or init, has not looked yet is no business of ours."""
    left = psutil.wait_procs(processes, timeout=within_seconds)[1]
    return [process for process in left if not _is_zombie(process)]


def _is_zombie(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def test_a_day_survives_the_death_of_every_process_and_stops_when_asked(start: Callable[[], Daemon]) -> None:
    daemon = start()
    daemon.wait_for("13:35")
    processes = daemon.all_processes()
    assert [path.name for path in daemon.home.iterdir() if path.stat().st_mode & 0o077] == []
    assert set().union(*map(listening_addresses, processes)) == {"127.0.0.1"}
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    daemon.process.wait()
    assert still_running(processes, within_seconds=5) == []

    daemon = start()
    daemon.wait_for("13:45")
    assert "Going on with the day" in daemon.output
    assert "13:30" not in daemon.output
    processes = daemon.all_processes()
    begun = time.monotonic()
    daemon.process.send_signal(signal.SIGINT)
    assert daemon.process.wait(STOP_LIMIT_SECONDS) == 130
    assert time.monotonic() - begun < STOP_LIMIT_SECONDS
    assert still_running(processes, within_seconds=5) == []
    assert leftovers.running(daemon.home) == []


def test_when_only_the_daemon_is_killed_all_else_ends_by_itself(start: Callable[[], Daemon]) -> None:
    daemon = start()
    daemon.wait_for("the sandboxed operator")
    processes = daemon.all_processes()
    daemon.process.kill()
    daemon.process.wait()
    assert still_running(processes, within_seconds=STOP_LIMIT_SECONDS) == []


def test_a_second_run_in_the_same_home_is_refused_with_a_reason(start: Callable[[], Daemon]) -> None:
    daemon = start()
    daemon.wait_for("PostgreSQL")
    second = subprocess.run(
        [sys.executable, "-c", RUN, str(daemon.home)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"is in use by the process {daemon.process.pid}" in second.stdout
    daemon.process.terminate()
    assert daemon.process.wait(STOP_LIMIT_SECONDS) == 130


def test_a_folder_that_holds_other_things_is_left_alone(home: Path) -> None:
    letter = home / "letter.txt"
    letter.write_text("dear")
    refused = subprocess.run(
        [sys.executable, "-c", RUN, str(home)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "holds other things" in refused.stdout
    assert [path.name for path in home.iterdir()] == ["letter.txt"]


def test_ports_that_are_taken_are_not_asked_for() -> None:
    from reconcile.runtime.ports import Ports

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = Ports()
        other = ports.free(port)
        assert other not in {0, port}
        assert ports.free(other) != other
