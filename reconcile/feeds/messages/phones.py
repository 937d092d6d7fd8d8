"""Accounts in international form. `phonenumbers` decides; what it decides for plain national numbers is done quickly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata

from reconcile.feeds.messages.expressions import Expression

_TYPES = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)


def international(number: str, country: str | None) -> str:
    """`0707123456` in `CI` → `+2250707123456`; what is no valid phone number there (a meter, a mask) stays as it is."""
    plan = None if country is None else _plan(country)
    if plan is not None and number.isdecimal() and number.isascii():
        found = plan.international(number)
        if found is not None:
            return found
    return _slowly(number, country)


@lru_cache(maxsize=1 << 16)
def _slowly(number: str, country: str | None) -> str:
    if not number.removeprefix("+").isdecimal():  # the library would take the letters of a mask for a keypad's
        return number
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_valid_number(parsed):
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The numbering plan of a country without peculiarities: which national numbers are valid, and what stands before."""

    calling_code: str
    trunk_prefix: str
    national: Expression

    def international(self, number: str) -> str | None:
        """E.164 where exactly one reading is a valid number, None where the library should look itself."""
        forms = {number, number.removeprefix(self.calling_code), number.removeprefix(self.trunk_prefix)}
        valid = [digits for digits in forms if self.national.full(digits.encode())]
        return f"+{self.calling_code}{valid[0]}" if len(valid) == 1 else None


@lru_cache(maxsize=256)
def _plan(country: str) -> _Plan | None:
    metadata = PhoneMetadata.metadata_for_region(country)
    if metadata is None or metadata.general_desc is None or metadata.leading_digits:
        return None
    trunk = metadata.national_prefix_for_parsing or ""
    if trunk not in {"", "0"} or metadata.national_prefix_transform_rule:
        return None  # the prefix may be part of the number, and the library knows the exceptions
    kinds = [getattr(metadata, kind) for kind in _TYPES]
    patterns = [kind.national_number_pattern for kind in kinds if kind is not None and kind.national_number_pattern]
    return _Plan(str(metadata.country_code), trunk, Expression("|".join(f"(?:{pattern})" for pattern in patterns)))
