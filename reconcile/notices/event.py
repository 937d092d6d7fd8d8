"""What there is to tell a customer about a case."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

DETECTED: Final = "detected"
DELAYED: Final = "delayed"
CREDITED: Final = "credited"
SELF_SETTLED: Final = "self_settled"
KINDS: Final = (DETECTED, DELAYED, CREDITED, SELF_SETTLED)


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one case. `name` is a kind, or a kind with a number when it may happen again: `delayed:2`.

    `facts`: confirmed_at, amount_minor, asset, reference, account, payer, and where they are known credited_at, next_news_at.
    """

    case_id: UUID
    name: str
    facts: Mapping[str, Any]


def kind_of(name: str) -> str:
    """The kind of an event's name: `delayed:2` → `delayed`; raises `ValueError` when there is no such kind."""
    kind, _, number = name.partition(":")
    if kind not in KINDS or not (number.isdecimal() or kind == name):
        raise ValueError(f"{name!r} is no event that a customer is told: those are {', '.join(KINDS)}")
    return kind
