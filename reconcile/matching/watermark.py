from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Grade = Literal["proven", "assumed"]


@dataclass(frozen=True, slots=True)
class Watermark:
    """The instant (aware, UTC) up to which a feed is complete, and how that is known; None: nothing is known yet."""

    complete_through: datetime | None
    grade: Grade


@dataclass(frozen=True, slots=True)
class Completeness:
    """What both sides together allow to be said."""

    confirmations: Watermark
    ledger: Watermark

    @property
    def through(self) -> datetime | None:
        """The instant up to which both sides are complete."""
        told, posted = self.confirmations.complete_through, self.ledger.complete_through
        return min(told, posted) if told is not None and posted is not None else None

    @property
    def grade(self) -> Grade:
        """The weaker of the two."""
        both_proven = self.confirmations.grade == "proven" and self.ledger.grade == "proven"
        return "proven" if both_proven else "assumed"
