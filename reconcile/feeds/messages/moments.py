"""Times inside a text. They are evidence only, so one that can be read in two ways is left out."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.core import get_global

from reconcile.feeds.messages.expressions import Expression

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january janv janvier januari janeiro",
            "feb february fev fevr fevrier februari fevereiro",
            "mar march mars machi marco",
            "apr april avr avril aprili abr abril",
            "may mai mei maio",
            "jun june juin juni junho",
            "jul july juil juillet julai julho",
            "aug august aout agosti ago agosto",
            "sep sept september septembre septemba set setembro",
            "oct october octobre oktoba out outubro",
            "nov november novembre novemba novembro",
            "dec december decembre desemba dez dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(MONTHS))
_DATE_PATTERN = (
    r"\b(?:"
    r"(?P<year>20[0-9]{2})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})"
    r"|(?P<first>[0-9]{1,2})[-/.](?P<second>[0-9]{1,2})[-/.](?P<short>20[0-9]{2}|[0-9]{2})"
    r"|(?P<named_day>[0-9]{1,2})[- ]?(?P<name>" + _MONTH + r")\.?[-, ]{0,2}(?P<named_year>20[0-9]{2}|[0-9]{2})\b"
    r"|(?P<front_name>" + _MONTH + r")\.? (?P<front_day>[0-9]{1,2}),? (?P<front_year>20[0-9]{2})"
    r")"
)
_CLOCK_PATTERN = (
    r"(?P<hour>[0-9]{1,2})(?:[:h](?P<minute>[0-9]{2}))(?:[:m](?P<second>[0-9]{2})s?)?(?: ?(?P<half>[ap])m\b)?"
)
_DATE, _CLOCK = Expression(_DATE_PATTERN), Expression(_CLOCK_PATTERN)
# Where one stands is found without groups, several times faster; what it says is then asked of its own text alone.
_ANY_DATE, _ANY_CLOCK = (Expression(re.sub(r"\?P<[a-z_]+>", "?:", p)) for p in (_DATE_PATTERN, _CLOCK_PATTERN))
# Where `24/03/12` may be 24 March 2012 or 12 March 2024.
_YEAR_MAY_LEAD = frozenset({"SA", "IR", "CN", "JP", "KR", "TW"})
# A date and its time may stand apart by a few words: "on 2026-04-13 at 19:44", "le 03/12/2025 a 18h46".
_APART_CHARACTERS = 12
_CLOCK_CHARACTERS = 12


def moment(written: str | None, country: str | None) -> datetime | None:
    """The first date with a time in folded text, in the zone of the country; None where any part is uncertain."""
    zone = zone_of(country)
    if written is None or zone is None:
        return None
    data = written.encode()
    spans = _ANY_DATE.search(data)
    if spans is None:
        return None
    start, end = spans[0]
    day = _day(data[start:end], country)
    if day is None:
        return None
    behind = data[end : end + _APART_CHARACTERS + _CLOCK_CHARACTERS]
    clock = _clock_in(behind) or _clock_in(data[max(0, start - _APART_CHARACTERS) : start])
    return None if clock is None else _at(day, clock, zone)


def _clock_in(data: bytes) -> tuple[int, int, int] | None:
    spans = _ANY_CLOCK.search(data)
    return None if spans is None else _clock(data[spans[0][0] : spans[0][1]])


def moment_in_reference(reference: str | None, country: str | None) -> datetime | None:
    """`RC240709.1345.A00011` was issued on 2024-07-09 at 13:45, in the zone of the country."""
    if reference is None:
        return None
    day, dot, rest = reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").partition(".")
    clock, second_dot, _ = rest.partition(".")
    if not (dot and second_dot and len(day) == 6 and day.isdecimal() and len(clock) == 4 and clock.isdecimal()):
        return None
    return _minute(day, clock, country)


@lru_cache(maxsize=1 << 14)
def _minute(day: str, clock: str, country: str | None) -> datetime | None:
    zone = zone_of(country)
    if zone is None:
        return None
    try:
        return datetime(2000 + int(day[:2]), int(day[2:4]), int(day[4:]), int(clock[:2]), int(clock[2:]), tzinfo=zone)
    except ValueError:
        return None


@lru_cache(maxsize=512)
def zone_of(country: str | None) -> ZoneInfo | None:
    """The time zone of a country that has one (by Unicode CLDR), else None."""
    if country is None:
        return None
    zones = get_global("zone_territories")
    inside = [zone for zone, territory in zones.items() if territory == country.upper()]
    return ZoneInfo(inside[0]) if len(inside) == 1 else None


@lru_cache(maxsize=1 << 12)
def _day(written: bytes, country: str | None) -> tuple[int, int, int] | None:
    """Year, month, day. The United States alone write the month first; elsewhere the day leads."""
    spans = _DATE.full(written)
    if spans is None:
        return None
    date = _DATE.texts(written, spans)
    if "year" in date:
        return int(date["year"]), int(date["month"]), int(date["day"])
    if "name" in date:
        return _full(int(date["named_year"])), MONTHS[date["name"].lower()], int(date["named_day"])
    if "front_name" in date:
        return _full(int(date["front_year"])), MONTHS[date["front_name"].lower()], int(date["front_day"])
    first, second = int(date["first"]), int(date["second"])
    if country in _YEAR_MAY_LEAD and len(date["short"]) == 2:
        return None
    if country == "US":
        first, second = second, first
    return _full(int(date["short"])), second, first


def _full(year: int) -> int:
    return year if year > 99 else 2000 + year


@lru_cache(maxsize=1 << 14)
def _clock(written: bytes) -> tuple[int, int, int] | None:
    """Hour, minute, second, in 24 hours."""
    spans = _CLOCK.full(written)
    if spans is None:
        return None
    clock = _CLOCK.texts(written, spans)
    hour = int(clock["hour"])
    half = clock.get("half", "").lower()
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    return hour, int(clock["minute"]), int(clock.get("second", 0))


def _at(day: tuple[int, int, int], clock: tuple[int, int, int], zone: ZoneInfo) -> datetime | None:
    try:
        return datetime(*day, *clock, tzinfo=zone)
    except ValueError:
        return None
