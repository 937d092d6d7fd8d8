"""Keeps programs running, by supervisord: it restarts what dies and ends whole process groups, in time.

An operator can look at it with its own tool: `supervisorctl -c var/run/supervisord.conf status`.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from reconcile.runtime import leftovers
from reconcile.store import leash
from reconcile.store.socket_folder import make_private, short_enough

SOCKET_NAME = "supervisor.sock"
GROUP = "reconcile"
LOG_BYTES = 10_000_000
LOG_BACKUPS = 2
START_LIMIT_SECONDS = 10
PROGRAM_STOP_LIMIT_SECONDS = 5
STOP_LIMIT_SECONDS = PROGRAM_STOP_LIMIT_SECONDS + 3
SURVIVOR_LIMIT_SECONDS = 2
POLL_SECONDS = 0.05
# A program counts as started when it has run this long, and is given up when it dies this many times before.
STARTED_AFTER_SECONDS = 2
START_RETRIES = 3


class SupervisorDidNotStart(RuntimeError):  # noqa: N818 - says what is the matter
    """supervisord ended, or did not answer in time; the message ends with what it said."""


@dataclass(frozen=True)
class Program:
    """One process to keep running. Its output goes to `<folder>/<name>.log`. No argument may hold a line break."""

    name: str
    command: Sequence[str]


class Supervisor:
    """Runs `programs` for `home`; its own files and the programs' logs are in `folder`, which is ours alone.

    `environment` is all that the programs inherit. They end when this process ends, however it ends.
    """

    def __init__(self, home: Path, folder: Path, programs: Sequence[Program], environment: Mapping[str, str]) -> None:
        self.home = home
        self.folder = folder
        self.programs = programs
        self.environment = leftovers.marked(dict(environment), home)
        self.configuration = folder / "supervisord.conf"
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start supervisord, which starts no program before it is launched. Raises `SupervisorDidNotStart`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = short_enough(
            self.folder, f"{SOCKET_NAME}.1234567890"
        )  # supervisord appends its process number at first
        make_private(place, uid=os.geteuid())
        self._socket = place / SOCKET_NAME
        self.configuration.touch(mode=0o600)
        self.configuration.write_text(self._text(), encoding="utf-8")
        output = self.folder / "supervisord.out"
        with output.open("wb") as out:
            self._server = subprocess.Popen(
                leash.command(
                    [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(self.configuration)],
                    ends_by=signal.SIGTERM,
                ),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C on the terminal is for us alone
            )
        give_up = time.monotonic() + START_LIMIT_SECONDS
        while True:
            with contextlib.suppress(OSError):
                self.states()
                return
            if self._server.poll() is not None or time.monotonic() > give_up:
                raise SupervisorDidNotStart(f"supervisord did not start:\n{tail(output)}")
            time.sleep(POLL_SECONDS)

    def launch(self, *programs: Program) -> None:
        """Start these, and from now on start them again when they die; returns before they are ready."""
        with self._calls() as calls:
            for program in programs:
                calls.startProcess(f"{GROUP}:{program.name}", False)

    def stop(self) -> None:
        """End all programs, their children and supervisord itself; nothing of them runs when this returns."""
        if self._server is not None:
            self._server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(STOP_LIMIT_SECONDS)
        leftovers.end(self.home, limit_seconds=SURVIVOR_LIMIT_SECONDS)
        if self._server is not None:
            self._server.wait()
            self._server = None

    def states(self) -> dict[str, str]:
        """What supervisord says of each program: STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL…"""
        with self._calls() as calls:
            return {str(each["name"]): str(each["statename"]) for each in calls.getAllProcessInfo()}

    def given_up(self) -> list[str]:
        """The programs that died too often to be started once more."""
        return [name for name, state in self.states().items() if state == "FATAL"]

    def log_of(self, program: str) -> Path:
        return self.folder / f"{program}.log"

    @contextlib.contextmanager
    def _calls(self) -> Iterator[Any]:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        try:
            yield xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor
        finally:
            transport.close()

    def _text(self) -> str:
        sections = [
            _section("unix_http_server", file=self._socket, chmod="0600"),
            _section(
                "supervisord",
                nodaemon="true",
                silent="true",
                logfile=self.folder / "supervisord.log",
                logfile_maxbytes=LOG_BYTES,
                logfile_backups=LOG_BACKUPS,
                pidfile=self.folder / "supervisord.pid",
                childlogdir=self.folder,
                **({"user": "root"} if os.geteuid() == 0 else {}),
            ),
            _section(
                "rpcinterface:supervisor",
                **{"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
            ),
            _section("supervisorctl", serverurl=f"unix://{self._socket}"),
            # One group, because groups are stopped one after the other.
            _section(f"group:{GROUP}", programs=",".join(program.name for program in self.programs)),
        ]
        sections.extend(self._program(program) for program in self.programs)
        return "\n".join(sections)

    def _program(self, program: Program) -> str:
        # supervisord may be killed as well; then the kernel ends what it started.
        leashed = leash.command([*program.command], ends_by=signal.SIGTERM, parent=0)
        return _section(
            f"program:{program.name}",
            command=" ".join(_quoted(argument) for argument in leashed),
            stdout_logfile=_escaped(str(self.log_of(program.name))),  # supervisord expands this one twice
            stdout_logfile_maxbytes=LOG_BYTES,
            stdout_logfile_backups=LOG_BACKUPS,
            redirect_stderr="true",
            autostart="false",
            autorestart="true",
            startsecs=STARTED_AFTER_SECONDS,
            startretries=START_RETRIES,
            stopasgroup="true",
            killasgroup="true",
            stopwaitsecs=PROGRAM_STOP_LIMIT_SECONDS,
        )


def tail(log: Path, *, lines: int = 20) -> str:
    """The last lines of a text file; empty when there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _section(name: str, **values: object) -> str:
    lines = [f"{key} = {_escaped(str(value))}" for key, value in values.items() if str(value)]
    return "\n".join([f"[{name}]", *lines, ""])


def _escaped(value: str) -> str:
    return value.replace("%", "%%")  # supervisord expands %(name)s


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
