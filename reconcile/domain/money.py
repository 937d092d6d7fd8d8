"""Assets and exact amounts. An amount is an integer in minor units everywhere; text and decimals exist at the edges only."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache

from babel.numbers import is_currency

# ISO 4217 publishes two decimals for every currency but these.
_ISO_EXPONENTS = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_UNIT_EXPONENTS = {"MB": 0, "TICKET": 0, "UNIT": 0, "SECOND": 0, "SMS": 0}

MAX_AMOUNT_MINOR = 10**15
"""No single amount from outside may exceed this: it keeps every sum of a day inside a 64-bit integer."""


class AmountError(ValueError):
    """An amount is not a number, has more decimals than its asset, or is beyond `MAX_AMOUNT_MINOR`."""


class UnknownAssetError(ValueError):
    """An asset is neither an ISO 4217 currency nor one of the known units."""


@dataclass(frozen=True, slots=True)
class Asset:
    """What is counted: a currency or a unit. `exponent` is the number of decimals of its major unit (XOF 0, CAD 2)."""

    code: str
    exponent: int

    def __str__(self) -> str:
        return self.code


@cache
def asset(code: str) -> Asset:
    """The asset of that code; raises `UnknownAssetError`."""
    if code in _UNIT_EXPONENTS:
        return Asset(code, _UNIT_EXPONENTS[code])
    if is_currency(code):
        return Asset(code, _ISO_EXPONENTS.get(code, 2))
    raise UnknownAssetError(
        f"unknown asset {code!r}: neither an ISO 4217 currency nor one of {', '.join(_UNIT_EXPONENTS)}"
    )


def to_minor(amount: str | Decimal, unit: Asset) -> int:
    """Major units ("1050", "12.50", Decimal) → minor units, exactly; raises `AmountError` where that is impossible."""
    try:
        value = Decimal(amount)
    except InvalidOperation as error:
        raise AmountError(f"{amount!r} is not an amount") from error
    if not value.is_finite():
        raise AmountError(f"{amount!r} is not a finite amount")
    if value.adjusted() > 15:
        raise AmountError(f"{amount} {unit} is larger than any amount this system moves")
    scaled = value.scaleb(unit.exponent)
    minor = int(scaled)
    if minor != scaled:
        raise AmountError(f"{amount} has more decimals than {unit} allows ({unit.exponent})")
    if abs(minor) > MAX_AMOUNT_MINOR:
        raise AmountError(f"{amount} {unit} is larger than any amount this system moves")
    return minor


def to_decimal(amount_minor: int, unit: Asset) -> Decimal:
    """Minor units → major units, with exactly the asset's decimals: 1250 of CAD is Decimal("12.50")."""
    return Decimal(amount_minor).scaleb(-unit.exponent)
