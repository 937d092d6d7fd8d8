"""Amounts, times and numbers as people read them: plain in an SMS, with the locale's full typography in an e-mail."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal, is_currency

from reconcile.domain.money import asset, to_decimal
from reconcile.domain.phone import masked
from reconcile.notices import gsm
from reconcile.notices.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Formats:
    """How one channel writes one language in one zone, on the day of `now`."""

    catalogue: Catalogue
    channel: Literal["sms", "email"]
    zone: ZoneInfo
    now: datetime

    def amount(self, amount_minor: int, code: str) -> str:
        """`1 050 FCFA` in an SMS, `1 050 F CFA` with its special spaces in an e-mail; units by their own words."""
        unit = asset(code)
        value = to_decimal(amount_minor, unit)
        locale = self.catalogue.language
        if self.channel == "email" and is_currency(code):
            # CLDR wants a space between a symbol that ends in a letter and the number; Babel leaves it out.
            return re.sub(r"(?<=[A-Za-z])(?=\d)", "\u00a0", format_currency(value, code, locale=locale))
        # As many decimals as the asset has, and no fewer: 12,50 and not 12,5.
        pattern = "#,##0" + ("." + "0" * unit.exponent if unit.exponent else "")
        number = format_decimal(value, format=pattern, locale=locale)
        if self.channel == "sms":
            return f"{gsm.plain(number)} {self.catalogue.sms_assets.get(code, code)}"
        return f"{number} {self.catalogue.units.get(code, code)}"

    def moment(self, instant: datetime) -> str:
        """`13h47`, with its day when that is not today: `13h47 le 08/07`, `13h47 le 8 juillet 2024`."""
        local = instant.astimezone(self.zone)
        time = str(format_time(local, self.catalogue.time, locale=self.catalogue.language))
        if local.date() == self.now.astimezone(self.zone).date():
            return time
        pattern = self.catalogue.short_day if self.channel == "sms" else "long"
        day = str(format_date(local, pattern, locale=self.catalogue.language))
        return self.catalogue.phrases.on_other_day.format(time=time, day=day)

    def account(self, number: str) -> str:
        """The last digits of somebody else's number, enough to know it by: `**56` in an SMS."""
        hidden = masked(number)
        return gsm.plain(hidden)[2:] if self.channel == "sms" else hidden
