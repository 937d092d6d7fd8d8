"""What becomes of each purchase's credit."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from reconcile.sandbox.day import OUTAGE_END, OUTAGE_START
from reconcile.sandbox.purchase import Purchase
from reconcile.sandbox.seeded import stream


class Fate(StrEnum):
    """The ways in which a credit can go."""

    CREDITED = "credited"
    DELAYED = "delayed"  # by twelve minutes, outside the outage
    NEVER = "never"
    LATE = "late"  # held up by the outage, lands while the queue drains
    DOUBLED = "doubled"  # lands twice while the queue drains
    MISDIRECTED = "misdirected"  # lands on another account, under the same reference
    VERY_LATE = "very_late"  # surfaces an hour after the outage


LATE_SHARE: Final = 0.35
DOUBLED_SHARE: Final = 0.05
MISDIRECTED_SHARE: Final = 0.03
VERY_LATE_COUNT: Final = 2
# Outside the outage.
STRAY_SHARE: Final = 0.001
DELAYED_AMONG_STRAYS: Final = 0.3
DELAYED_BY: Final = timedelta(minutes=12)


def caught_in_outage(purchase: Purchase) -> bool:
    """Whether its credit would have landed while nothing reached the balances."""
    return OUTAGE_START <= purchase.due_at < OUTAGE_END


def draw_fates(seed: int, purchases: Sequence[Purchase]) -> Mapping[str, Fate]:
    """The fate of every purchase by reference; the shares are exact, who is hit is drawn."""
    fates = {purchase.reference: Fate.CREDITED for purchase in purchases}
    caught = [purchase.reference for purchase in purchases if caught_in_outage(purchase)]
    random = stream(seed, "fates")
    random.shuffle(caught)
    fates.update(zip(caught, _outage_fates(len(caught)), strict=True))

    calm = [
        purchase.reference for purchase in purchases if not OUTAGE_START - DELAYED_BY <= purchase.due_at < OUTAGE_END
    ]
    strays = random.sample(calm, min(len(calm), _share(STRAY_SHARE, len(purchases))))
    for number, reference in enumerate(strays):
        delayed = (number + 1) * DELAYED_AMONG_STRAYS // 1 > number * DELAYED_AMONG_STRAYS // 1
        fates[reference] = Fate.DELAYED if delayed else Fate.NEVER
    return fates


def _outage_fates(count: int) -> list[Fate]:
    fates = [Fate.VERY_LATE] * VERY_LATE_COUNT
    fates += [Fate.DOUBLED] * _share(DOUBLED_SHARE, count)
    fates += [Fate.MISDIRECTED] * _share(MISDIRECTED_SHARE, count)
    fates += [Fate.LATE] * _share(LATE_SHARE, count)
    fates += [Fate.NEVER] * max(0, count - len(fates))
    return fates[:count]


def _share(share: float, count: int) -> int:
    """A share of `count`, at least one while there is anything: small test worlds want each fate too."""
    return max(1, round(share * count)) if count else 0
