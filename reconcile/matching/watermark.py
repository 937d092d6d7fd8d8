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
    """What the sides together allow to be said. `payments` is None where the flow has no feed of them."""

    confirmations: Watermark
    ledger: Watermark
    payments: Watermark | None = None

    @property
    def through(self) -> datetime | None:
        """The instant up to which both sides are complete."""
        told, posted = self.confirmations.complete_through, self.ledger.complete_through
        return min(told, posted) if told is not None and posted is not None else None

    @property
    def grade(self) -> Grade:
        """The weaker of what was told and what was posted."""
        both_proven = self.confirmations.grade == "proven" and self.ledger.grade == "proven"
        return "proven" if both_proven else "assumed"

    @property
    def paid_through(self) -> datetime | None:
        """The instant up to which all three sides are complete; None without payments."""
        paid = self.payments.complete_through if self.payments is not None else None
        return min(paid, self.through) if paid is not None and self.through is not None else None

    @property
    def grade_paid(self) -> Grade:
        """The weakest of the three."""
        paid_proven = self.payments is not None and self.payments.grade == "proven"
        return self.grade if paid_proven else "assumed"
