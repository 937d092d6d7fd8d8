"""How whoever looks after the installation hears of it: logs, alerts, and what the desk tells machines."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from reconcile.config.values import ConfigurationError, Duration, Secret, Section


class Log(Section):
    """What is said about the program's own work, on standard error."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] | None = None


class Alerts(Section):
    """Who is told when something needs a person: addresses as Apprise understands them. They hold tokens, so they are secrets."""

    urls: Annotated[tuple[Secret, ...], Field(min_length=1)]
    unknown_after: Duration = timedelta(minutes=15)
    job_failures: Annotated[int, Field(ge=1)] = 3
    every: Duration = timedelta(minutes=1)


def secrets_of(section: BaseModel) -> list[str]:
    """Every secret that a configuration names and that can be read: what must never be written anywhere."""
    found = []
    for secret in _secrets(section):
        try:
            found.append(secret.read())
        except (ConfigurationError, OSError, UnicodeDecodeError):
            continue  # what cannot be read cannot leak; whoever needs it says that it is missing
    return found


def _secrets(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _secrets(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _secrets(inner)
