"""Which currency a mark beside a number means, where the message comes from settling what several share."""

from __future__ import annotations

import tomllib
from functools import cache, lru_cache
from importlib.resources import files

from babel.numbers import get_currency_precision, get_territory_currencies

from reconcile.feeds.messages.text import fold

# `K`, `Le`, `ID` are words and initials elsewhere: a mark that short counts in its own country only.
_SHORTEST_MARK_ABROAD = 3


def _key(mark: str) -> str:
    return fold(mark).replace(" ", "").strip(".").upper()


@cache
def _codes_by_mark() -> dict[str, frozenset[str]]:
    written: dict[str, list[str]] = tomllib.loads(
        files("reconcile.feeds.messages").joinpath("currencies.toml").read_text("utf-8")
    )
    codes: dict[str, set[str]] = {code: {code} for code in written}
    for code, marks in written.items():
        for mark in marks:
            codes.setdefault(_key(mark), set()).add(code)
    return {mark: frozenset(found) for mark, found in codes.items()}


def marks() -> tuple[str, ...]:
    """Every way of writing a currency that is known, folded, upper case, without spaces."""
    return tuple(_codes_by_mark())


@lru_cache(maxsize=512)
def currencies_of_country(country: str | None) -> frozenset[str]:
    """ISO 4217 of an ISO 3166 country (by Unicode CLDR); a few have two, and an unknown one has none."""
    return frozenset() if country is None else frozenset(get_territory_currencies(country.upper()))


def currency_of_country(country: str | None) -> str | None:
    """The currency of a country that has one."""
    current = currencies_of_country(country)
    return next(iter(current)) if len(current) == 1 else None


@lru_cache(maxsize=4096)
def currency(mark: str, country: str | None) -> str | None:
    """ISO 4217 of `FCFA`, `Ksh`, `$` … in a country; None when the mark is unknown or the country does not settle it."""
    key = _key(mark)
    codes = _codes_by_mark().get(key)
    if codes is None:
        return None
    own = currencies_of_country(country) & codes
    if len(own) == 1:
        return next(iter(own))
    if key == "$" and country is not None:  # where the own currency is not a dollar, the dollar is the American one
        return "USD"
    return next(iter(codes)) if len(codes) == 1 and len(key) >= _SHORTEST_MARK_ABROAD else None


@lru_cache(maxsize=512)
def exponent(code: str) -> int:
    """The number of decimals of a currency by Unicode CLDR; operators write more of them than that, see `numeral`."""
    precision: int = get_currency_precision(code)
    return precision
