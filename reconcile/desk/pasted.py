"""A customer's SMS, pasted whole: what it says, and what can be searched for in it."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from reconcile.domain.confirmation import normalise_reference
from reconcile.domain.money import AmountError, asset, to_minor
from reconcile.domain.phone import PhoneError, to_e164
from reconcile.feeds.messages import Catalogue, Message, Reading

# A receipt number has letters and digits in one piece; the sentence around it does not.
_REFERENCE: Final = re.compile(
    r"\b(?=[A-Za-z0-9.\-]*\d)(?=[A-Za-z0-9.\-]*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9.\-]{6,62})[A-Za-z0-9]\b"
)


@dataclass(frozen=True, slots=True)
class Pasted:
    """How a pasted text was read. Without a template its only receipt-like word may still stand as `reference`."""

    reading: Reading
    reference: str | None
    account: str | None
    asset: str | None
    amount_minor: int | None


def read_pasted(text: str, region: str) -> Pasted:
    """Never raises, whatever was pasted."""
    reading = catalogue().read(Message(id="pasted", text=text, country=region))
    return Pasted(
        reading=reading,
        reference=normalise_reference(reading.reference) or _only_reference(text),
        account=_account(reading.account, region),
        asset=reading.currency,
        amount_minor=_minor(reading),
    )


@cache
def catalogue() -> Catalogue:
    """The message templates, compiled once."""
    return Catalogue.load()


def _only_reference(text: str) -> str | None:
    words = {normalise_reference(word) for word in _REFERENCE.findall(text)}
    return words.pop() if len(words) == 1 else None


def _account(written: str | None, region: str) -> str | None:
    if written is None:
        return None
    try:
        return to_e164(written, region)
    except PhoneError:
        return None


def _minor(reading: Reading) -> int | None:
    if reading.amount is None or reading.currency is None:
        return None
    try:
        return to_minor(reading.amount, asset(reading.currency))
    except (AmountError, ValueError):
        return None
