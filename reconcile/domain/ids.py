"""Every id that must stay the same over re-runs, replays and days is derived here, and nowhere else.

All are UUIDv5 (RFC 9562) under one namespace, so that the same facts give the same id on any machine.
"""

import hashlib
import hmac
from uuid import UUID, uuid5

NAMESPACE = UUID("5d2c6a53-6b0c-5e0b-9b57-0a4a4e1f9a01")

# 23 symbols, a prime: no vowels (no words), none that are mistaken for one another when spoken or written.
_SYMBOLS = "23456789CDFGHJKMPQRTVWX"
_NUMBER_LENGTH = 7


def derive(*parts: str) -> UUID:
    """The id of the thing that these parts name. Parts are joined by the unit separator, which no part may contain."""
    joined = "\x1f".join(parts)
    assert joined.count("\x1f") == len(parts) - 1, "a part of an id holds the separator"
    return uuid5(NAMESPACE, joined)


def confirmation_id(flow: str, identity: str) -> UUID:
    """Id of a confirmation, of its break and of its case: one purchase has one id for life. `identity`: see `confirmation`."""
    return derive("confirmation", flow, identity)


def entry_id(feed: str, row_key: str) -> UUID:
    """Id of a ledger entry, from its feed and the key of its row."""
    return derive("entry", feed, row_key)


def payment_id(feed: str, row_key: str) -> UUID:
    """Id of a payment, from its feed and the key of its row."""
    return derive("payment", feed, row_key)


def batch_id(feed: str, sha256: str) -> UUID:
    """Id of a delivery: the same bytes from the same feed are the same batch."""
    return derive("batch", feed, sha256)


def intent_id(case_id: UUID, component: str) -> UUID:
    """Id of the decision to pay one component (`recredit`, `refund`, `compensation`) of a case."""
    return derive("intent", str(case_id), component)


def attempt_id(intent: UUID, number: int) -> UUID:
    """Id of the `number`-th attempt (from 1): the key that the gateway knows it by."""
    return derive("attempt", str(intent), str(number))


def notice_id(case_id: UUID, event: str, channel: str) -> UUID:
    """Id of the message to one customer about one event of one case."""
    return derive("notice", str(case_id), event, channel)


def case_number(case_id: UUID, secret: bytes, retry: int = 0) -> str:
    """A number that can be spoken (`K7M2-QX4D`), cannot be guessed without `secret`, and carries a check symbol.

    Two cases may collide (1 in 3.4 billion): the caller counts `retry` up until the database accepts the number.
    """
    digest = hmac.new(secret, f"{case_id}/{retry}".encode(), hashlib.sha256).digest()
    value = int.from_bytes(digest[:8], "big")
    symbols = []
    for _ in range(_NUMBER_LENGTH):
        value, position = divmod(value, len(_SYMBOLS))
        symbols.append(_SYMBOLS[position])
    return _grouped("".join(symbols) + _check_symbol("".join(symbols)))


def normalise_case_number(text: str) -> str | None:
    """A case number as somebody typed it → its one form, or None when its check symbol says that it is none."""
    symbols = "".join(character for character in text.upper() if character not in " -.")
    if len(symbols) != _NUMBER_LENGTH + 1 or any(symbol not in _SYMBOLS for symbol in symbols):
        return None
    return _grouped(symbols) if _check_symbol(symbols[:-1]) == symbols[-1] else None


def _check_symbol(symbols: str) -> str:
    # Weights 1..7 modulo a prime: every single wrong symbol and every swap of two neighbours changes the sum.
    total = sum(weight * _SYMBOLS.index(symbol) for weight, symbol in enumerate(symbols, start=1))
    return _SYMBOLS[total % len(_SYMBOLS)]


def _grouped(symbols: str) -> str:
    return f"{symbols[:4]}-{symbols[4:]}"
