"""The folder of a sandboxed world: its secrets, its configuration, and how its operator is started.

The operator is a stranger here as everywhere: a command line, environment variables and HTTP.
"""

import json
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from reconcile.runtime.ports import LOOPBACK, Ports
from reconcile.runtime.private_file import write_private
from reconcile.runtime.supervisor import Program

SEED = 1
PURCHASES = 20_000
SMPP_PASSWORD_BYTES = 4  # as 8 hexadecimal digits: SMPP has room for no more


@dataclass(frozen=True)
class Person:
    """Somebody who may sign in to the desk."""

    username: str
    display_name: str
    role: str
    password: str

    def credentials(self) -> dict[str, str]:
        return {"username": self.username, "password": self.password}


@dataclass(frozen=True)
class SandboxPorts:
    """Where everything listens, on the loopback address."""

    control: int
    gsma: int
    smpp: int
    smtp: int
    desk: int
    airflow: int

    @classmethod
    def free(cls) -> "SandboxPorts":
        """The usual ports, or others where those are taken."""
        ports = Ports()
        return cls(
            control=ports.free(8091),
            gsma=ports.free(8090),
            smpp=ports.free(2775),
            smtp=ports.free(8025),
            desk=ports.free(8080),
            airflow=ports.free(8081),
        )


class SandboxHome:
    """Made from `home`, a folder of ours; the same secrets at every start."""

    def __init__(self, home: Path, ports: SandboxPorts, *, seed: int = SEED, purchases: int = PURCHASES) -> None:
        self.folder = home / "sandbox"
        self.configuration = home / "reconcile.toml"
        self.ports = ports
        self.seed = seed
        self.purchases = purchases
        self._secrets = _kept_secrets(home / "secrets.json")

    @property
    def control_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.control}"

    @property
    def desk_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.desk}"

    @property
    def token(self) -> str:
        return self._secrets["token"]

    @property
    def maker(self) -> Person:
        return Person("agent", "Agent (sandbox)", "agent", self._secrets["agent"])

    @property
    def approver(self) -> Person:
        return Person("supervisor", "Supervisor (sandbox)", "supervisor", self._secrets["supervisor"])

    @property
    def people(self) -> tuple[Person, Person]:
        return self.maker, self.approver

    def write_configuration(self) -> None:
        """Fill the scenario's configuration in with the ports of this run."""
        template = Template((files("reconcile") / "scenarios" / "maxit.toml").read_text(encoding="utf-8"))
        text = template.substitute(
            desk_port=self.ports.desk,
            gsma_port=self.ports.gsma,
            smpp_port=self.ports.smpp,
            smtp_port=self.ports.smtp,
        )
        self.configuration.write_text(text, encoding="utf-8")

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """`inherited`, with the configuration of this world and the secrets that operator and system share."""
        return {
            **inherited,
            "RECONCILE_CONFIG": str(self.configuration),
            "SANDBOX_TOKEN": self._secrets["token"],
            "SANDBOX_SMPP_PASSWORD": self._secrets["smpp_password"],
            "SANDBOX_API_KEY": self._secrets["api_key"],
            "GX_ANALYTICS_ENABLED": "false",  # Great Expectations would report its use to its makers
        }

    def operator(self) -> Program:
        ports = self.ports
        return Program(
            "sandbox",
            [
                *(sys.executable, "-P", "-m", "reconcile.sandbox", "serve", "--home", str(self.folder)),
                *("--seed", str(self.seed), "--purchases", str(self.purchases)),
                *("--control-port", str(ports.control), "--gsma-port", str(ports.gsma)),
                *("--smpp-port", str(ports.smpp), "--smtp-port", str(ports.smtp)),
            ],
        )

    def desk(self) -> Program:
        return Program(
            "desk",
            [
                *(sys.executable, "-P", "-m", "uvicorn", "--factory", "reconcile.app:desk"),
                *("--host", LOOPBACK, "--port", str(self.ports.desk), "--no-access-log"),
            ],
        )


def _kept_secrets(file: Path) -> dict[str, str]:
    if file.exists():
        kept: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        return kept
    made = {name: secrets.token_urlsafe(12) for name in ("token", "api_key", "agent", "supervisor")}
    made["smpp_password"] = secrets.token_hex(SMPP_PASSWORD_BYTES)
    write_private(file, json.dumps(made))
    return made
