from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from reconcile.domain.policy import CLOSING


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one run of the fold says of one break: a row of its `verdicts.parquet`. Money in minor units.

    `owed_minor` is positive when the customer lacks it. `credited_minor` is what others credited, `own_minor` what we did.
    """

    break_id: UUID
    version: int
    kind: str
    account: str
    payer: str | None
    reference: str | None
    message_id: str | None
    product: str | None
    asset: str
    confirmed_minor: int
    credited_minor: int
    own_minor: int
    owed_minor: int
    confirmed_at: datetime | None
    deadline_at: datetime | None
    credited_at: datetime | None
    decidable_at: datetime | None
    grade: str
    blocked: str | None
    confirmation_ids: tuple[str, ...]
    entry_ids: tuple[str, ...]
    evidence: Mapping[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """The verdict that a row says; raises `KeyError` when a column is missing."""
        return cls(**{name: row[name] for name in _COLUMNS})

    @property
    def closes(self) -> bool:
        """Whether the customer has what was confirmed, so that nothing is left to do."""
        return self.kind in CLOSING


_COLUMNS = tuple(field.name for field in fields(Verdict))
