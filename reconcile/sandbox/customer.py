"""Customers of the operator, and how they want to be told."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from reconcile.sandbox.phone import draw_number
from reconcile.sandbox.seeded import stream

ENGLISH_SHARE: Final = 0.15
EMAIL_SHARE: Final = 0.20
OPTED_OUT_SHARE: Final = 0.005
SECOND_ADDRESS_SHARE: Final = 0.25

_FIRST_NAMES: Final = ("awa", "koffi", "aya", "moussa", "adjoua", "yao", "fatou", "kouame", "mariam", "ibrahim")
_LAST_NAMES: Final = ("kone", "kouassi", "traore", "ouattara", "bamba", "konan", "diallo", "toure", "coulibaly")


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer: E.164 number, language, e-mail address if known, preferred channel, and whether they opted out."""

    msisdn: str
    language: Literal["fr", "en"]
    email: str | None
    channel: Literal["sms", "email"]
    opted_out: bool


def make_customers(seed: int, count: int) -> tuple[Customer, ...]:
    """`count` customers with distinct numbers."""
    random = stream(seed, "customers")
    return tuple(_make_customer(random, number, msisdn) for number, msisdn in enumerate(_distinct(random, count)))


def _make_customer(random: Random, number: int, msisdn: str) -> Customer:
    prefers_email = random.random() < EMAIL_SHARE
    has_email = prefers_email or random.random() < SECOND_ADDRESS_SHARE
    name = f"{random.choice(_FIRST_NAMES)}.{random.choice(_LAST_NAMES)}"
    return Customer(
        msisdn=msisdn,
        language="en" if random.random() < ENGLISH_SHARE else "fr",
        email=f"{name}{number}@courriel.example" if has_email else None,
        channel="email" if prefers_email else "sms",
        opted_out=random.random() < OPTED_OUT_SHARE,
    )


def _distinct(random: Random, count: int) -> Iterator[str]:
    seen: set[str] = set()
    while len(seen) < count:
        msisdn = draw_number(random)
        if msisdn not in seen:
            seen.add(msisdn)
            yield msisdn
