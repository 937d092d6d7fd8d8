"""Instants as text: ISO 8601 in UTC for machines, local time for the ledger's export, a stamp for file names."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("Africa/Abidjan")


def to_iso(instant: datetime) -> str:
    """`2024-07-09T13:45:00Z`: UTC, whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: str) -> datetime:
    """The aware UTC instant in `text`; raises ValueError without an offset or with a fraction of a second."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: write 2024-07-09T13:45:00Z")
    if instant.microsecond:
        raise ValueError(f"{text!r} has a fraction of a second: the sandbox counts whole ones")
    return instant.astimezone(UTC)


def to_local(instant: datetime) -> str:
    """`2024-07-09 13:45:00`, in the operator's zone: how its ledger writes times."""
    return instant.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")


def to_stamp(instant: datetime) -> str:
    """`20240709T134500Z`: how a feed file is named."""
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def to_minute(instant: datetime) -> str:
    """`13:45` in the operator's zone."""
    return instant.astimezone(ZONE).strftime("%H:%M")
