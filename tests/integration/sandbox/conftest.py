"""The real process on free ports, started in a folder that outlives it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

TOKEN = "token"
SMPP_PASSWORD = "secret"
START_SECONDS = 20
STOP_SECONDS = 3
ENVIRONMENT = {"SANDBOX_TOKEN": TOKEN, "SANDBOX_SMPP_PASSWORD": SMPP_PASSWORD, "PATH": os.environ["PATH"]}
ROOT = Path(__file__).resolve().parents[3]


class Sandbox:
    """One home, and the process that serves it while there is one."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        self._options = options
        self.start()

    def start(self) -> None:
        self.process = self.launch()
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        self.addresses = json.loads(line)
        self.control = httpx.Client(
            base_url=f"http://{self.addresses['control']}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=START_SECONDS,
        )
        self.gsma = httpx.Client(
            base_url=f"http://{self.addresses['gsma']}",
            headers={"X-API-Key": "key", "X-Client-Id": "reconcile", "X-Date": "2024-07-09T14:48:00Z"},
            timeout=START_SECONDS,
        )

    def launch(self, *options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "reconcile.sandbox", "serve", "--home", str(self.home), "--seed", "1"]
        ports = [word for name in ("control", "gsma", "smpp", "smtp") for word in (f"--{name}-port", "0")]
        return subprocess.Popen(
            [*command, *ports, "--purchases", "400", "--faults", "off", *self._options, *options],
            env=ENVIRONMENT,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, number: signal.Signals) -> int:
        """Send the signal and wait; raises TimeoutExpired when it takes too long."""
        self.control.close()
        self.gsma.close()
        self.process.send_signal(number)
        _, complaints = self.process.communicate(timeout=STOP_SECONDS)
        assert not complaints
        return self.process.returncode

    def restart_after_kill(self) -> None:
        self.end(signal.SIGKILL)
        self.start()

    def port(self, name: str) -> int:
        return int(self.addresses[name].rsplit(":", 1)[1])

    def move(self, to: str) -> httpx.Response:
        return self.control.post("/clock", json={"to": f"2024-07-09T{to}:00Z"})

    def files(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.home)): path.read_bytes() for path in sorted(self.home.glob("inbox/*/*"))}


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator:
    started = []

    def start(*options: str, name: str = "home") -> Sandbox:
        started.append(Sandbox(tmp_path / name, *options))
        return started[-1]

    yield start
    for sandbox in started:
        if sandbox.process.poll() is None:
            sandbox.end(signal.SIGKILL)
        sandbox.control.close()
        sandbox.gsma.close()


@pytest.fixture
def sandbox(start_sandbox) -> Sandbox:
    return start_sandbox()
