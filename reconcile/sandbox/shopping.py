"""The day's purchases from a seed: when, by whom, for whom, how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Final

from reconcile.sandbox.customer import Customer
from reconcile.sandbox.day import DAY_START
from reconcile.sandbox.phone import draw_number
from reconcile.sandbox.purchase import Purchase
from reconcile.sandbox.seeded import stream

# How busy each hour of the day is, relative to the others: asleep at three, at its peak from noon to two.
_HOUR_WEIGHTS: Final = (8, 5, 3, 2, 3, 8, 20, 35, 45, 50, 55, 65, 90, 88, 70, 55, 55, 60, 70, 75, 70, 55, 35, 18)
_AMOUNTS: Final = (200, 500, 525, 1000, 1050, 2000, 2100, 3000, 5000)
_AMOUNT_WEIGHTS: Final = (6, 17, 6, 13, 40, 8, 4, 3, 3)

FOR_ANOTHER_SHARE: Final = 0.225
TWIN_SHARE: Final = 0.015
IN_APP_SHARE: Final = 0.6
_TWIN_AFTER_SECONDS: Final = (40, 360)
_CREDIT_AFTER_SECONDS: Final = (2, 60)
_NODES: Final = "ABC"


@dataclass(frozen=True, slots=True)
class _Basket:
    at: datetime
    payer: Customer
    account: str
    amount_minor: int


def go_shopping(seed: int, customers: Sequence[Customer], count: int) -> tuple[Purchase, ...]:
    """Exactly `count` purchases in order of time; some are bought for others, some twice within minutes."""
    random = stream(seed, "shopping")
    twins = round(count * TWIN_SHARE)
    baskets = [_fill(random, customers) for _ in range(count - twins)]
    baskets += [_again(random, basket) for basket in random.sample(baskets, twins)]
    baskets.sort(key=lambda basket: (basket.at, basket.payer.msisdn, basket.amount_minor))
    return tuple(_pay(random, number, basket) for number, basket in enumerate(baskets, start=1))


def draw_instant(random: Random) -> datetime:
    """A second of the day, drawn from its curve."""
    sums = tuple(accumulate(_HOUR_WEIGHTS))
    drawn = random.random() * sums[-1]
    hour = next(index for index, upto in enumerate(sums) if drawn < upto)
    return DAY_START + timedelta(hours=hour, seconds=random.randrange(3600))


def draw_amount(random: Random) -> int:
    """An amount in minor units, 1 050 F most often."""
    return random.choices(_AMOUNTS, _AMOUNT_WEIGHTS)[0]


def make_reference(instant: datetime, node: str, number: int) -> str:
    """`RC240709.1345.A00011`."""
    return f"RC{instant:%y%m%d.%H%M}.{node}{number:05d}"


def _fill(random: Random, customers: Sequence[Customer]) -> _Basket:
    payer = random.choice(customers)
    account = payer.msisdn
    if random.random() < FOR_ANOTHER_SHARE:
        # Half of the others are customers too, half are strangers to the directory.
        account = random.choice(customers).msisdn if random.random() < 0.5 else draw_number(random)
    return _Basket(draw_instant(random), payer, account, draw_amount(random))


def _again(random: Random, basket: _Basket) -> _Basket:
    later = basket.at + timedelta(seconds=random.randint(*_TWIN_AFTER_SECONDS))
    last_second = DAY_START + timedelta(days=1, seconds=-1)
    return _Basket(min(later, last_second), basket.payer, basket.account, basket.amount_minor)


def _pay(random: Random, number: int, basket: _Basket) -> Purchase:
    shortest, longest = _CREDIT_AFTER_SECONDS
    # Cubed: most credits take a few seconds, a few take the whole minute.
    wait_seconds = shortest + round((longest - shortest) * random.random() ** 3)
    return Purchase(
        reference=make_reference(basket.at, random.choice(_NODES), number),
        payer=basket.payer,
        account=basket.account,
        amount_minor=basket.amount_minor,
        confirmed_at=basket.at,
        due_at=basket.at + timedelta(seconds=wait_seconds),
        in_app=random.random() < IN_APP_SHARE,
    )
