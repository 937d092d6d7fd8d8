"""Text to values, one reading or none. What cannot be read for certain is `Unreadable`, and says why."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from reconcile.domain.money import AmountError, Asset, UnknownAssetError, asset, to_minor
from reconcile.domain.phone import PhoneError, to_e164

_REMEMBERED_ACCOUNTS: Final = 1 << 17
_AMOUNT: Final = {
    ".": re.compile(r"[+-]?[0-9]{1,16}(?:\.[0-9]{1,9})?", re.ASCII),
    ",": re.compile(r"[+-]?[0-9]{1,16}(?:,[0-9]{1,9})?", re.ASCII),
}
_KEY_CHARACTERS: Final = 200
_TRUE: Final = frozenset({"true", "1", "yes", "y", "oui", "o"})
_FALSE: Final = frozenset({"false", "0", "no", "n", "non"})


class Unreadable(ValueError):  # noqa: N818 - a value of somebody else's, not an error of ours
    """A text has no certain reading. The message never repeats a phone number."""


def read_amount(text: str, decimal_mark: Literal[".", ","]) -> Decimal:
    """An amount in major units as ledgers write it: digits, a sign, at most one decimal mark, nothing else."""
    if _AMOUNT[decimal_mark].fullmatch(text) is None:
        raise Unreadable(f"{_shown(text)} is not an amount")
    return Decimal(text.replace(",", "."))


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


def read_moment(text: str, zone: ZoneInfo, time_format: str | None) -> datetime:
    """ISO 8601, or `time_format` as `strptime` has it → aware UTC. A time without a zone is local to `zone`.

    A local time that the clocks of `zone` showed twice, or never, is refused: an hour either way decides who is owed.
    """
    try:
        moment = datetime.strptime(text, time_format) if time_format else datetime.fromisoformat(text)  # noqa: DTZ007 - the zone follows
    except ValueError as error:
        raise Unreadable(
            f"{_shown(text)} is not a time{f' of the form {time_format}' if time_format else ''}"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
        before, after = moment.utcoffset(), moment.replace(fold=1).utcoffset()
        if before != after:
            assert before is not None
            assert after is not None
            how_often = "twice" if before > after else "never"
            raise Unreadable(f"{_shown(text)} is a time that clocks in {zone.key} showed {how_often}")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise Unreadable(f"{_shown(text)} is no time of this calendar") from error


def read_flag(text: str) -> bool:
    """A yes or a no, in English or French."""
    word = text.casefold()
    if word not in _TRUE | _FALSE:
        raise Unreadable(f"{_shown(text)} is neither yes nor no")
    return word in _TRUE


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
