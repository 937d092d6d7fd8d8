"""The kinds of values that stand in a configuration, and how each is read."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from reconcile.domain.money import asset

_UNITS_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
WIDE_ENCODINGS: Final = frozenset({"utf-16", "utf-16-le", "utf-16-be"})
_NAME: Final = r"^[a-z][a-z0-9_-]{0,39}$"


class ConfigurationError(ValueError):
    """The configuration cannot be used; the message names the file, the key, the value and what was expected."""


def _duration(value: Any) -> Any:
    """`"90s"`, `"10m"`, `"2h"`, `"7d"` → timedelta; anything else is left for Pydantic to refuse."""
    match = re.fullmatch(r"(\d{1,6})\s*([smhd])", value) if isinstance(value, str) else None
    if match is None:
        if isinstance(value, timedelta):
            return value
        raise ValueError('a duration such as "30s", "10m", "2h" or "7d"')
    return timedelta(seconds=int(match[1]) * _UNITS_SECONDS[match[2]])


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("an IANA time zone such as Africa/Abidjan") from error
    return value


def _instant(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("an instant with its zone, such as 2024-07-09T00:00:00Z")
    return value.astimezone(UTC)


def _encoding(value: str) -> str:
    """Wide encodings are recoded as they are read; all others must hold ASCII as it is, because lines are split as bytes."""
    if value.lower().replace("_", "-") in WIDE_ENCODINGS:
        return value
    probe = '\n;,"'
    try:
        fits = probe.encode(value) == probe.encode("ascii")
    except LookupError:
        fits = False
    if not fits:
        raise ValueError('an encoding that contains ASCII, such as "utf-8", "cp1252" or "latin-1", or "utf-16"')
    return value


def _asset_code(value: str) -> str:
    return asset(value).code


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Zone = Annotated[str, AfterValidator(_zone)]
AwareInstant = Annotated[datetime, AfterValidator(_instant)]
Name = Annotated[str, Field(pattern=_NAME)]
Encoding = Annotated[str, AfterValidator(_encoding)]
AssetCode = Annotated[str, AfterValidator(_asset_code)]


class Section(BaseModel):
    """A table of the file; a key that it does not have is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Secret(Section):
    """Where a secret is: in an environment variable, or alone in a file."""

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "Secret":
        if (self.env is None) == (self.file is None):
            raise ValueError("either env or file")
        return self

    def read(self) -> str:
        """The secret; raises `ConfigurationError` naming the place, never the value."""
        if self.env is not None:
            value = os.environ.get(self.env, "")
            place = f"the environment variable {self.env}"
        else:
            assert self.file is not None
            place = f"the file {self.file}"
            value = self.file.read_text(encoding="utf-8").strip() if self.file.is_file() else ""
        if not value:
            raise ConfigurationError(f"a secret is missing: {place} is not set or empty")
        return value
