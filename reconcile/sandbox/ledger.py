"""What the balances did on the day, before anybody asked for a credit over the API."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Final

from reconcile.sandbox.customer import Customer
from reconcile.sandbox.day import (
    DAY_START,
    DRAIN_END,
    OUTAGE_END,
    OUTAGE_START,
    REVERSALS_END,
    REVERSALS_START,
    VERY_LATE_AT,
)
from reconcile.sandbox.fate import DELAYED_BY, Fate
from reconcile.sandbox.phone import draw_number
from reconcile.sandbox.purchase import Purchase
from reconcile.sandbox.seeded import stream
from reconcile.sandbox.shopping import draw_amount, draw_instant

WITHOUT_REFERENCE_SHARE: Final = 0.03
UNREADABLE_SHARE: Final = 0.002
BONUS_SHARE: Final = 0.05
REVERSED_AMONG_DOUBLED: Final = 0.4
CORRECTIONS: Final = 6
_SECOND_CREDIT_AFTER_SECONDS: Final = (1, 120)
_BONUS_AFTER_SECONDS: Final = (3, 30)
# A row loses its reference only where nobody else's fate hangs on it: no like purchase this near went wrong.
_LIKE_PURCHASES_WITHIN: Final = timedelta(hours=1)
_UNREADABLE: Final = ("#VALUE!", "10?50", "", "NaN", "1O5O")


class Kind(StrEnum):
    """The ledger's own words for its movements."""

    RECHARGE = "RECHARGE"
    REVERSAL = "REVERSAL"
    BONUS = "BONUS"
    CORRECTION = "CORRECTION"


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One movement, signed; `purchase` is the truth about what it was for, which no export tells."""

    entry_id: str
    kind: Kind
    account: str
    amount_minor: int
    posted_at: datetime
    reference: str | None = None
    external_id: str | None = None
    purchase: str | None = None
    # What the export shows in place of the amount, the first time that it shows this row.
    unreadable: str | None = None


def post_day(
    seed: int, customers: Sequence[Customer], purchases: Sequence[Purchase], fates: Mapping[str, Fate]
) -> tuple[LedgerRow, ...]:
    """All movements of the day by time, with ids in that order; none in the outage."""
    rows = [
        *_purchase_rows(seed, purchases, fates),
        *_bonus_rows(seed, purchases, fates),
        *_correction_rows(seed, customers),
    ]
    rows.sort(key=lambda row: (row.posted_at, row.account, row.kind, row.amount_minor, row.purchase or ""))
    return tuple(replace(row, entry_id=f"E{DAY_START:%y%m%d}{number:07d}") for number, row in enumerate(rows, start=1))


def in_outage(instant: datetime) -> bool:
    """Whether the ledger is silent at that instant."""
    return OUTAGE_START <= instant < OUTAGE_END


def _purchase_rows(seed: int, purchases: Sequence[Purchase], fates: Mapping[str, Fate]) -> Iterator[LedgerRow]:
    random = stream(seed, "ledger")
    entangled = _entangled(purchases, fates)
    for purchase in purchases:
        fate = fates[purchase.reference]
        loses_reference = random.random() < WITHOUT_REFERENCE_SHARE
        is_unreadable = random.random() < UNREADABLE_SHARE
        unreadable = random.choice(_UNREADABLE) if is_unreadable else None
        match fate:
            case Fate.CREDITED:
                row = _credit(purchase, purchase.due_at)
                if loses_reference and purchase.reference not in entangled:
                    row = replace(row, reference=None)
                yield replace(row, unreadable=unreadable)
            case Fate.DELAYED:
                yield _credit(purchase, purchase.due_at + DELAYED_BY)
            case Fate.LATE:
                yield replace(_credit(purchase, _draining(random)), unreadable=unreadable)
            case Fate.DOUBLED:
                yield from _doubled(random, purchase)
            case Fate.MISDIRECTED:
                yield replace(_credit(purchase, _draining(random)), account=draw_number(random))
            case Fate.VERY_LATE:
                yield _credit(purchase, VERY_LATE_AT + timedelta(seconds=random.randint(5, 90)))
            case Fate.NEVER:
                pass


def _doubled(random: Random, purchase: Purchase) -> Iterator[LedgerRow]:
    first = _credit(purchase, _draining(random))
    second = _credit(purchase, first.posted_at + timedelta(seconds=random.randint(*_SECOND_CREDIT_AFTER_SECONDS)))
    yield first
    yield second
    if random.random() < REVERSED_AMONG_DOUBLED:
        span_seconds = int((REVERSALS_END - REVERSALS_START).total_seconds())
        taken_back_at = REVERSALS_START + timedelta(seconds=random.randrange(span_seconds))
        yield replace(second, kind=Kind.REVERSAL, amount_minor=-second.amount_minor, posted_at=taken_back_at)


def _bonus_rows(seed: int, purchases: Sequence[Purchase], fates: Mapping[str, Fate]) -> Iterator[LedgerRow]:
    """Promotions: same account and amount as the purchase that earned them, half of them under its reference."""
    random = stream(seed, "bonuses")
    for purchase in purchases:
        earned, referenced = random.random() < BONUS_SHARE, random.random() < 0.5
        at = purchase.due_at + timedelta(seconds=random.randint(*_BONUS_AFTER_SECONDS))
        if earned and fates[purchase.reference] is Fate.CREDITED and not in_outage(at):
            reference = purchase.reference if referenced else None
            yield LedgerRow("", Kind.BONUS, purchase.account, purchase.amount_minor, at, reference)


def _correction_rows(seed: int, customers: Sequence[Customer]) -> Iterator[LedgerRow]:
    random = stream(seed, "corrections")
    for _ in range(CORRECTIONS):
        at = draw_instant(random)
        account, amount_minor = random.choice(customers).msisdn, draw_amount(random)
        if not in_outage(at):
            yield LedgerRow("", Kind.CORRECTION, account, amount_minor, at)


def _entangled(purchases: Sequence[Purchase], fates: Mapping[str, Fate]) -> frozenset[str]:
    """References of purchases that resemble one nearby (same account and amount) whose credit went wrong."""
    alike: dict[tuple[str, int], list[Purchase]] = defaultdict(list)
    for purchase in purchases:
        alike[purchase.account, purchase.amount_minor].append(purchase)
    return frozenset(
        purchase.reference
        for group in alike.values()
        for purchase in group
        for other in group
        if fates[other.reference] is not Fate.CREDITED
        and abs(other.confirmed_at - purchase.confirmed_at) <= _LIKE_PURCHASES_WITHIN
    )


def _credit(purchase: Purchase, posted_at: datetime) -> LedgerRow:
    return LedgerRow(
        entry_id="",
        kind=Kind.RECHARGE,
        account=purchase.account,
        amount_minor=purchase.amount_minor,
        posted_at=posted_at,
        reference=purchase.reference,
        purchase=purchase.reference,
    )


def _draining(random: Random) -> datetime:
    """An instant while the queue drains, two minutes short of its end so that second credits land inside it too."""
    span_seconds = int((DRAIN_END - OUTAGE_END).total_seconds()) - _SECOND_CREDIT_AFTER_SECONDS[1]
    return OUTAGE_END + timedelta(seconds=random.randrange(span_seconds))
