import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconcile.runtime import leftovers
from reconcile.runtime.supervisor import Program, Supervisor, tail

ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[3])}

# Ignores SIGTERM, and has a child in a session of its own that does so too.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 60; :"], start_new_session=True)
print("stubborn", flush=True)
time.sleep(60)
"""

RUN_A_SUPERVISOR = """
import os, sys, time
from pathlib import Path
from reconcile.runtime.supervisor import Program, Supervisor
home = Path(sys.argv[1])
sleeper = Program("sleeper", ["sleep", "60"])
supervisor = Supervisor(home, home / "run", [sleeper], dict(os.environ))
supervisor.start()
supervisor.launch(sleeper)
print("started", flush=True)
time.sleep(60)
"""


@pytest.fixture
def supervised(home: Path) -> Iterator[Callable[..., Supervisor]]:
    started: list[Supervisor] = []

    def start(*programs: Program, folder: Path | None = None) -> Supervisor:
        supervisor = Supervisor(home, folder or home / "run", programs, ENVIRONMENT)
        started.append(supervisor)
        supervisor.start()
        supervisor.launch(*programs)
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()
    assert leftovers.running(home) == []


def wait_until(condition: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up, what
        time.sleep(0.05)


def test_a_program_that_dies_is_started_again(home: Path, supervised: Callable[..., Supervisor]) -> None:
    births = home / "births"
    supervised(Program("mortal", ["sh", "-c", f"echo born >> {births}; sleep 3"]))
    wait_until(lambda: births.exists() and births.read_text().count("born") == 2, "it was not started again")


def test_a_program_that_cannot_start_is_given_up_and_its_log_says_why(supervised: Callable[..., Supervisor]) -> None:
    supervisor = supervised(Program("broken", ["sh", "-c", "echo 'no such \"thing\" as 100 %(day)s'; exit 3"]))
    wait_until(lambda: supervisor.given_up() == ["broken"], "it is still tried")
    assert 'no such "thing" as 100 %(day)s' in tail(supervisor.log_of("broken"))


def test_programs_inherit_only_the_environment_they_were_given(
    monkeypatch: pytest.MonkeyPatch, supervised: Callable[..., Supervisor]
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "True")
    supervisor = supervised(Program("shown", ["sh", "-c", "env; sleep 60"]))
    wait_until(lambda: "PYTHONPATH" in tail(supervisor.log_of("shown")), "nothing was printed")
    assert "AIRFLOW" not in tail(supervisor.log_of("shown"))


def test_stopping_ends_children_that_left_the_group_and_ignore_the_signal(
    home: Path, supervised: Callable[..., Supervisor]
) -> None:
    script = home / "stubborn.py"
    script.write_text(STUBBORN)
    supervisor = supervised(Program("stubborn", [sys.executable, str(script)]))
    wait_until(lambda: "stubborn" in tail(supervisor.log_of("stubborn")), "it did not start")
    assert len(leftovers.running(home)) >= 3
    begun = time.monotonic()
    supervisor.stop()
    assert leftovers.running(home) == []
    assert time.monotonic() - begun < 15


def test_programs_are_stopped_together_and_not_one_after_the_other(supervised: Callable[..., Supervisor]) -> None:
    slow = "import signal, sys, time; signal.signal(15, lambda *_: (time.sleep(2.5), sys.exit())); print('up', flush=True); time.sleep(60)"
    supervisor = supervised(*(Program(f"slow{number}", [sys.executable, "-c", slow]) for number in range(4)))
    wait_until(lambda: all("up" in tail(supervisor.log_of(f"slow{number}")) for number in range(4)), "not up")
    begun = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begun < 8


def test_everything_ends_when_the_process_that_started_it_is_killed(home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUN_A_SUPERVISOR, str(home)], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "started\n"
        wait_until(lambda: len(leftovers.running(home)) == 2, "supervisord and its program run")
        daemon.kill()
    wait_until(lambda: leftovers.running(home) == [], "something outlived its parent")


def test_what_outlived_even_the_supervisor_is_found_by_its_mark_and_ended(home: Path) -> None:
    environment = leftovers.marked(ENVIRONMENT, home)
    command = ["sh", "-c", "trap '' TERM; echo deaf; sleep 60; :"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as orphan:
        assert orphan.stdout is not None
        assert orphan.stdout.readline() == b"deaf\n"
        assert orphan.pid in leftovers.running(home)
        assert leftovers.end(home, limit_seconds=0.2) >= 1
        assert orphan.wait() == -signal.SIGKILL
    assert leftovers.end(home, limit_seconds=0.2) == 0


def test_a_folder_may_have_an_odd_name(home: Path, supervised: Callable[..., Supervisor]) -> None:
    supervisor = supervised(Program("greeter", ["sh", "-c", "echo hello; sleep 60"]), folder=home / "100 %(of) it's")
    wait_until(lambda: tail(supervisor.log_of("greeter")) == "hello", "it did not greet")


def test_a_home_deep_in_the_file_system_still_has_a_socket(home: Path, supervised: Callable[..., Supervisor]) -> None:
    supervisor = supervised(Program("sleeper", ["sleep", "60"]), folder=home / ("d" * 60) / ("e" * 60))
    wait_until(lambda: supervisor.states() == {"sleeper": "RUNNING"}, "it does not run")
