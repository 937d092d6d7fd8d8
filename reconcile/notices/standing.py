"""May this still be said? The facts behind a notice are looked at again in the moment it goes out."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from reconcile.notices.event import CREDITED, DELAYED, DETECTED, kind_of

KNOWLEDGE_AGE_MAX: Final = timedelta(minutes=2)
"""How old the newest fold may be for "not arrived yet" to be said, in business time: the units may have come since."""

APPROVED_WAIT_MAX: Final = timedelta(minutes=10)
"""How long a notice waits for an approved intent to move: usually it is paid within the same minute. Business time."""

PAYING: Final = frozenset({"reserved", "executing", "credited"})
"""An intent in one of these may have been credited a moment ago, or will be in a moment."""
PAID: Final = frozenset({"verified", "escalated"})


class Answer(Enum):
    """`SAY` it; `HOLD` it until the next run; `DROP` it for good."""

    SAY = "say"
    HOLD = "hold"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds at this moment. `owed_minor`: what the case's newest verdict says is missing, if positive. `intents`: the statuses of the case's intents; `known_at`: when the newest fold ran;
    `planned_at`: since when the notice waits.
    """

    mode: str | None
    breaker: str | None
    opted_out: bool
    case_status: str
    owed_minor: int
    credited_at: datetime | None
    intents: AbstractSet[str]
    known_at: datetime | None
    planned_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer and, for a person, why."""

    answer: Answer
    reason: str


def decide(event: str, standing: Standing, now: datetime) -> Decision:
    """Whether a notice about `event` may go out at `now` (invariants 7, 13, 15 and 16)."""
    if standing.mode == "shadow":
        return Decision(Answer.DROP, "the flow is in shadow")
    if standing.opted_out:
        return Decision(Answer.DROP, "the customer does not want to be told")
    if standing.mode not in {"canary", "live"}:  # stopped, or nobody can say
        return Decision(Answer.HOLD, "the flow is stopped")
    if standing.breaker is not None:
        return Decision(Answer.HOLD, "the breaker is open")
    kind = kind_of(event)
    if kind in {DETECTED, DELAYED}:
        return _not_arrived(standing, now)
    return _credited(standing) if kind == CREDITED else _self_settled(standing)


def _not_arrived(standing: Standing, now: datetime) -> Decision:
    lacking = standing.case_status == "open" and standing.owed_minor > 0 and standing.credited_at is None
    if not lacking or standing.intents & PAID:
        return Decision(Answer.DROP, "superseded: it is no longer missing")
    if standing.intents & PAYING:
        return Decision(Answer.HOLD, "it is being credited")
    if "approved" in standing.intents and now - standing.planned_at < APPROVED_WAIT_MAX:
        return Decision(Answer.HOLD, "it is about to be credited")
    if standing.known_at is None or now - standing.known_at > KNOWLEDGE_AGE_MAX:
        return Decision(Answer.HOLD, "what the ledger shows is not fresh enough")
    return Decision(Answer.SAY, "it is still missing")


def _credited(standing: Standing) -> Decision:
    if "verified" in standing.intents and standing.case_status in {"remedied", "closed"}:
        return Decision(Answer.SAY, "the credit is on the ledger")
    return Decision(Answer.DROP, "superseded: the credit is not verified, or the case is open again")


def _self_settled(standing: Standing) -> Decision:
    # What arrived twice has arrived: the excess keeps the case open, and is no news for the customer.
    arrived = standing.case_status in {"self_settled", "closed"} or standing.owed_minor <= 0
    if arrived and not standing.intents & (PAYING | PAID):
        return Decision(Answer.SAY, "the units arrived by themselves")
    return Decision(Answer.DROP, "superseded: the case did not settle itself, or is open again")
