"""Text to values, one reading or none. What cannot be read for certain is `Unreadable`, and says why."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from reconcile.domain.money import AmountError, Asset, UnknownAssetError, asset, to_minor
from reconcile.domain.phone import PhoneError, to_e164

_REMEMBERED_ACCOUNTS: Final = 1 << 17
_SPACES: Final = str.maketrans("\u00a0\u202f", "  ")
"""The spaces that keep a number on one line, as people group thousands with them."""
_KEY_CHARACTERS: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCHS: Final = {"epoch": timedelta(seconds=1), "epoch_ms": timedelta(milliseconds=1)}
"""Forms of times that are counted since 1970."""
_TRUE: Final = frozenset({"true", "1", "yes", "y", "oui", "o"})
_FALSE: Final = frozenset({"false", "0", "no", "n", "non"})


class Unreadable(ValueError):  # noqa: N818 - a value of somebody else's, not an error of ours
    """A text has no certain reading. The message never repeats a phone number."""


def read_amount(text: str, decimal_mark: Literal[".", ","], thousands: str = "") -> Decimal:
    """An amount as ledgers write it: digits, a sign, at most one decimal mark, nothing else.

    Where `thousands` is a mark, digits may be in groups of three with it between all of them, or in none.
    """
    plain = text.translate(_SPACES) if thousands == " " else text
    if _amount(decimal_mark, thousands).fullmatch(plain) is None:
        raise Unreadable(f"{_shown(text)} is not an amount")
    return Decimal((plain.replace(thousands, "") if thousands else plain).replace(",", "."))


@cache
def _amount(decimal_mark: str, thousands: str) -> re.Pattern[str]:
    grouped = f"|[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}}){{1,5}}" if thousands else ""
    return re.compile(rf"[+-]?(?:[0-9]{{1,16}}{grouped})(?:{re.escape(decimal_mark)}[0-9]{{1,9}})?", re.ASCII)


def read_minor(amount: Decimal, unit: Asset) -> int:
    """Major units → minor units, exactly."""
    try:
        return to_minor(amount, unit)
    except AmountError as error:
        raise Unreadable(str(error)) from error


@lru_cache(maxsize=1024)
def read_asset(text: str) -> Asset:
    """The code of a currency or a unit, in any case."""
    try:
        return asset(text.upper())
    except UnknownAssetError as error:
        raise Unreadable(f"{_shown(text)} is not an asset") from error


def read_key(text: str) -> str:
    """An id or a reference of somebody's: printable, and of a length that no id exceeds."""
    if len(text) > _KEY_CHARACTERS or not text.isprintable():
        raise Unreadable(f"is not printable, or longer than {_KEY_CHARACTERS} characters")
    return text


@lru_cache(maxsize=_REMEMBERED_ACCOUNTS)
def read_account(text: str, region: str) -> str:
    """A phone number as people in `region` write it → E.164."""
    try:
        return to_e164(text, region)
    except PhoneError as error:
        raise Unreadable(str(error)) from error


Ambiguity = Literal["refuse", "earlier", "later"]
"""Which of the two instants a local time is that the clocks showed twice."""


def read_moment(text: str, zone: ZoneInfo, formats: Sequence[str] = (), ambiguity: Ambiguity = "refuse") -> datetime:
    """ISO 8601, or one of `formats` as `strptime` has them, or `epoch`, `epoch_ms` → aware UTC.

    A text that two formats read as two instants is refused. A time without a zone is local to `zone`. One that its clocks
    never showed is refused, and one that they showed twice, unless `ambiguity` says which: an hour either way decides who is
    owed.
    """
    readings = {moment for one in formats or (None,) if (moment := _read_as(text, one)) is not None}
    if not readings:
        raise Unreadable(f"{_shown(text)} is not a time{f' of the form {_or(formats)}' if formats else ''}")
    if len(readings) > 1:
        raise Unreadable(f"{_shown(text)} is another time by each of the forms {_or(formats)}")
    [moment] = readings
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
        before, after = moment.utcoffset(), moment.replace(fold=1).utcoffset()
        if before != after:
            assert before is not None
            assert after is not None
            twice = before > after
            if not twice or ambiguity == "refuse":
                raise Unreadable(
                    f"{_shown(text)} is a time that clocks in {zone.key} showed {'twice' if twice else 'never'}"
                )
            moment = moment.replace(fold=1 if ambiguity == "later" else 0)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise Unreadable(f"{_shown(text)} is no time of this calendar") from error


def _read_as(text: str, time_format: str | None) -> datetime | None:
    try:
        if time_format in _EPOCHS:
            whole = int(text) if text.isascii() and text.isdigit() else None
            return None if whole is None else _EPOCH + whole * _EPOCHS[time_format]
        return datetime.strptime(text, time_format) if time_format else datetime.fromisoformat(text)  # noqa: DTZ007 - the zone follows
    except (ValueError, OverflowError):
        return None


def _or(formats: Sequence[str]) -> str:
    return " or ".join(formats)


def read_flag(text: str) -> bool:
    """A yes or a no, in English or French."""
    word = text.casefold()
    if word not in _TRUE | _FALSE:
        raise Unreadable(f"{_shown(text)} is neither yes nor no")
    return word in _TRUE


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
