"""What one notice says and rests on, as it lies in the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

from reconcile.domain.clock import parse_instant

_INSTANTS = frozenset({"confirmed_at", "credited_at", "next_news_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of one notice. Instants are aware and in UTC; `number` is what the case is called on the phone."""

    number: str
    amount_minor: int
    asset: str
    confirmed_at: datetime
    account: str
    payer: str | None
    reference: str | None = None
    credited_at: datetime | None = None
    next_news_at: datetime | None = None

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Facts from their JSON form, or from values as an event carries them; raises `KeyError` when one is missing."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        missing = {"number", "amount_minor", "asset", "confirmed_at", "account", "payer"} - values.keys()
        if missing:
            raise KeyError(f"a notice lacks its {', '.join(sorted(missing))}")
        for name in _INSTANTS & values.keys():
            if isinstance(values[name], str):
                values[name] = parse_instant(values[name])
        return cls(**values)

    def stored(self) -> dict[str, Any]:
        """The JSON form; what is not known is left out."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in values.items()
            if value is not None or name == "payer"
        }

    @property
    def for_other(self) -> bool:
        """Whether the units were bought for somebody else."""
        return self.payer is not None and self.payer != self.account
