"""Figures as people read them on pages and in reports: full typography of the language, the zone of the flow."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent

from reconcile.domain.money import asset, to_decimal
from reconcile.reports.texts import Language

NO_BREAK_SPACE: Final = "\u00a0"
_LOCALES: Final[dict[Language, str]] = {"fr": "fr_FR", "en": "en_GB"}
# As the customers' own messages write it; CLDR's "F CFA" is nobody's habit, and two assets share the name.
_OWN_SYMBOLS: Final = {"XOF": "FCFA", "XAF": "FCFA"}
_BEFORE_PERCENT: Final[dict[Language, str]] = {"fr": NO_BREAK_SPACE, "en": ""}
_UNITS: Final[dict[str, dict[Language, str]]] = {
    "MB": {"fr": "Mo", "en": "MB"},
    "TICKET": {"fr": "ticket(s)", "en": "ticket(s)"},
    "UNIT": {"fr": "unité(s)", "en": "unit(s)"},
    "SECOND": {"fr": "s", "en": "s"},
    "SMS": {"fr": "SMS", "en": "SMS"},
}
NOTHING: Final = "\u2013"
"""What stands where there is nothing to show."""


class Formats:
    """How one language writes amounts, instants (in `zone`, an IANA name) and lengths of time."""

    def __init__(self, language: Language, zone: str = "UTC") -> None:
        self.language: Final = language
        self.zone: Final = ZoneInfo(zone)
        self._locale = _LOCALES[language]

    def count(self, number: int | None) -> str:
        return NOTHING if number is None else _signed(format_decimal(number, locale=self._locale))

    def share(self, part: float | None) -> str:
        """A part of one, in per cent with one decimal."""
        if part is None:
            return NOTHING
        return format_percent(part, format=f"#,##0.0{_BEFORE_PERCENT[self.language]}%", locale=self._locale)

    def money(self, amount_minor: int | None, code: str | None) -> str:
        """Minor units → `1 050 FCFA` (with no-break spaces); an amount without an asset is a plain number."""
        if amount_minor is None:
            return NOTHING
        if code is None:
            return self.count(amount_minor)
        unit = asset(code)
        amount = to_decimal(amount_minor, unit)
        symbol = _OWN_SYMBOLS.get(code) or _UNITS.get(code, {}).get(self.language)
        if symbol is None:
            return _signed(format_currency(amount, code, locale=self._locale))
        return _signed(f"{format_decimal(amount, locale=self._locale)}{NO_BREAK_SPACE}{symbol}")

    def day(self, day: date | None) -> str:
        return NOTHING if day is None else format_date(day, "full", locale=self._locale)

    def short_day(self, instant: datetime) -> str:
        return format_datetime(instant, "d MMM", tzinfo=self.zone, locale=self._locale)

    def moment(self, instant: datetime | None) -> str:
        """Day and time to the minute."""
        return self._written(instant, "d MMM yyyy, HH:mm")

    def clock(self, instant: datetime | None) -> str:
        """The time of day to the minute."""
        return self._written(instant, "HH:mm")

    def spoken_clock(self, instant: datetime | None) -> str:
        """The time of day as one says it: `13 h 45`, `13:45`."""
        return self._written(instant, f"HH'{NO_BREAK_SPACE}h{NO_BREAK_SPACE}'mm" if self.language == "fr" else "HH:mm")

    def second(self, instant: datetime | None) -> str:
        """The time of day to the second."""
        return self._written(instant, "HH:mm:ss")

    def length(self, seconds: float | timedelta | None) -> str:
        """`45 s`, `12 min`, `1 h 05`, `3 j 4 h`."""
        if seconds is None:
            return NOTHING
        whole = round(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
        minutes, hours, days = whole // 60, whole // 3600, whole // 86400
        space = NO_BREAK_SPACE
        if whole < 60:
            return f"{whole}{space}s"
        if minutes < 60:
            return f"{minutes}{space}min"
        if hours < 24:
            return f"{hours}{space}h{space}{minutes % 60:02d}"
        return f"{days}{space}{'j' if self.language == 'fr' else 'd'}{space}{hours % 24}{space}h"

    def _written(self, instant: datetime | None, pattern: str) -> str:
        if instant is None:
            return NOTHING
        return format_datetime(instant, pattern, tzinfo=self.zone, locale=self._locale)


def _signed(figure: str) -> str:
    """With a minus sign as wide as the digits, in place of a hyphen."""
    return figure.replace("-", "\u2212", 1)
