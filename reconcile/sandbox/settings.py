"""How one sandbox is set up: from the command line, with the secrets from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
TOKEN_VARIABLE: Final = "SANDBOX_TOKEN"  # noqa: S105 - the name of a variable
SMPP_PASSWORD_VARIABLE: Final = "SANDBOX_SMPP_PASSWORD"  # noqa: S105 - the name of a variable
API_KEY_VARIABLE: Final = "SANDBOX_API_KEY"
SMPP_PASSWORD_MAX: Final = 8  # octets that the password field of a bind has, without its NUL


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each server listens; 0 takes any free port."""

    control: int
    gsma: int
    smpp: int
    smtp: int


@dataclass(frozen=True, slots=True)
class Secrets:
    """What callers must show; `api_key` None lets any key pass."""

    token: str
    smpp_password: str
    api_key: str | None


@dataclass(frozen=True, slots=True)
class Settings:
    """All there is to set."""

    home: Path
    seed: int
    purchases: int
    has_faults: bool
    ports: Ports
    secrets: Secrets


def read_secrets(environment: Mapping[str, str]) -> Secrets:
    """The secrets in the environment; raises ValueError when one is missing or cannot be used."""
    token = environment.get(TOKEN_VARIABLE, "")
    smpp_password = environment.get(SMPP_PASSWORD_VARIABLE, "")
    for variable, value in ((TOKEN_VARIABLE, token), (SMPP_PASSWORD_VARIABLE, smpp_password)):
        if not value:
            raise ValueError(f"set {variable}: the sandbox lets nobody in without it")
    if len(smpp_password.encode()) > SMPP_PASSWORD_MAX:
        raise ValueError(f"{SMPP_PASSWORD_VARIABLE} is longer than SMPP allows: at most {SMPP_PASSWORD_MAX} octets")
    return Secrets(token=token, smpp_password=smpp_password, api_key=environment.get(API_KEY_VARIABLE) or None)
