"""What a gateway is to the rest: it can be sent an attempt, and it can be asked what became of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Meaning(StrEnum):
    """What an answer proves. Everything that proves nothing is UNKNOWN (invariant 6)."""

    COMPLETED = "completed"
    ACCEPTED = "accepted"
    FAILED = "failed"
    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a gateway, or its silence. `detail` holds words and numbers for a person, no phone numbers."""

    meaning: Meaning
    http_status: int | None = None
    gateway_reference: str | None = None
    transaction_reference: str | None = None
    detail: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be credited: to whom, what, how much; `key` is the attempt id, for ever."""

    key: UUID
    account: str
    asset: str
    amount_minor: int
    reference: str | None


class Gateway(Protocol):
    """The system that credits."""

    def available(self) -> bool:
        """Whether it says of itself that it can take work now; False also when it does not answer."""
        ...

    def payload(self, order: Order) -> bytes:
        """The bytes of the order: the same order gives the same bytes on any machine, at any time."""
        ...

    def send(self, order: Order, payload: bytes) -> Answer:
        """Sends once, without retry. Never raises for what the network or the gateway does."""
        ...

    def ask(self, order: Order, gateway_reference: str | None) -> Answer:
        """What became of the order with this key; NOT_FOUND when the gateway does not know it (yet)."""
        ...
