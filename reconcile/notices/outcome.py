"""What became of one message that was handed to its channel."""

from dataclasses import dataclass
from enum import Enum


class Fate(Enum):
    """`SUBMITTED`: the channel has it. `REFUSED`: it will never take it. `DEFERRED`: it did not take it this time.
    `UNTOUCHED`: it was never handed over. `UNCERTAIN`: nobody knows, so it is never sent again.
    """

    SUBMITTED = "submitted"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNTOUCHED = "untouched"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate, what the channel calls the message (one id per part), and why; no addresses in `reason`."""

    fate: Fate
    provider_ids: tuple[str, ...] = ()
    reason: str | None = None


class ChannelDownError(RuntimeError):
    """A channel cannot be used now. The message names host and port, never an address or a secret."""
