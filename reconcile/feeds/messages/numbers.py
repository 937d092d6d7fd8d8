"""Numerals as operators write them: `1,500` `1 500` `1.500` `1,500.00` `1 500,00` `1,00,000` `420.104`, or no reading."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Literal

DecimalMark = Literal[".", ","]

# More digits than any amount in any currency; meter tokens, loan ids and card numbers are longer or have no marks.
MAX_AMOUNT_DIGITS = 13
_MAX_DECIMALS = 4


def numeral(written: str, exponent: int | None = None, mark: DecimalMark | None = None) -> Decimal | None:
    """The number that `written` (already folded to ASCII digits) says, or None when it has no reading or two.

    `exponent` is the number of decimals of the currency and `mark` the decimal mark that the sender is known to use;
    they settle what `1.500` means. Without either it stays unread.
    """
    if written.isdecimal():
        return Decimal(written) if len(written) <= MAX_AMOUNT_DIGITS else None
    if written[-3:-2] == "." and len(written) <= MAX_AMOUNT_DIGITS:
        usual = _thousands_and_cents(written)
        if usual is not None:
            return usual
    return _rarer(written, exponent, mark)


# Advertisements and tariffs repeat their figures; the two forms above cost less than looking them up.
@lru_cache(maxsize=1 << 14)
def _rarer(written: str, exponent: int | None, mark: DecimalMark | None) -> Decimal | None:
    head, grouped_by_space = _join_spaced_groups(written)
    if head is None or sum(character.isdecimal() for character in head) > MAX_AMOUNT_DIGITS:
        return None
    commas, dots = head.count(","), head.count(".")
    if not commas and not dots:
        return Decimal(head) if head.isdecimal() else None
    if commas and dots:
        return _two_marks(head, grouped_by_space=grouped_by_space)
    separator: DecimalMark = "," if commas else "."
    pieces = head.split(separator)
    if not all(piece.isdecimal() for piece in pieces[1:]) or not (pieces[0].isdecimal() or not pieces[0]):
        return None
    if len(pieces) > 2:
        return Decimal("".join(pieces)) if not grouped_by_space and _are_groups(pieces) else None
    return _one_mark(pieces[0], pieces[1], separator, exponent, mark, grouped_by_space=grouped_by_space)


def _thousands_and_cents(written: str) -> Decimal | None:
    """`1,500.00` and `500.00`, which most figures are, without the questions that rarer forms need."""
    groups = written[:-3].split(",")
    if len(groups) > 1 and (not 1 <= len(groups[0]) <= 3 or set(map(len, groups[1:])) != {3}):
        return None
    whole = "".join(groups)
    return Decimal(whole + written[-3:]) if whole.isdecimal() and written[-2:].isdecimal() else None


def _join_spaced_groups(written: str) -> tuple[str | None, bool]:
    """`1 500 000,00` and `1'500` without their group marks; None when the groups are not of three digits."""
    if " " not in written and "'" not in written:
        return written, False
    groups = written.replace("'", " ").split(" ")
    tail, *decimals = groups[-1].replace(",", ".").split(".")
    middle = [*groups[1:-1], tail]
    if not (groups[0].isdecimal() and len(groups[0]) <= 3 and len(decimals) <= 1):
        return None, True
    if not all(len(group) == 3 and group.isdecimal() for group in middle):
        return None, True
    return "".join([groups[0], *groups[1:]]), True


def _two_marks(head: str, *, grouped_by_space: bool) -> Decimal | None:
    """`1,500.00` and `1.500,00`: the mark that comes last, and once, is the decimal mark."""
    decimal = "," if head.rfind(",") > head.rfind(".") else "."
    grouping = "." if decimal == "," else ","
    whole, _, decimals = head.rpartition(decimal)
    groups = whole.split(grouping)
    if grouped_by_space or decimal in whole or not decimals.isdecimal() or not 1 <= len(decimals) <= _MAX_DECIMALS:
        return None
    if not all(group.isdecimal() for group in groups) or not _are_groups(groups):
        return None
    return Decimal("".join(groups) + "." + decimals)


def _are_groups(groups: list[str]) -> bool:
    """Western (`1,500,000`) or Indian (`15,00,000`) grouping."""
    first, *rest = groups
    if not 1 <= len(first) <= 3 or len(rest[-1]) != 3:
        return False
    inner = {len(group) for group in rest[:-1]}
    return inner <= {3} or (inner == {2} and len(first) <= 2)


def _one_mark(
    whole: str,
    tail: str,
    separator: DecimalMark,
    exponent: int | None,
    mark: DecimalMark | None,
    *,
    grouped_by_space: bool,
) -> Decimal | None:
    as_decimal = Decimal(f"{whole or '0'}.{tail}")
    if len(tail) <= 2:
        return as_decimal
    if len(tail) > 3:
        return as_decimal if separator == "." and len(tail) <= _MAX_DECIMALS else None
    can_be_group = 1 <= len(whole) <= 3 and whole[0] != "0" and not grouped_by_space
    if not can_be_group:
        return as_decimal
    as_thousands = Decimal(whole + tail)
    if mark is not None and mark != separator:
        return as_thousands
    if mark is not None or exponent == 3:
        return as_decimal if separator == "." or (mark is not None and exponent == 3) else None
    if separator == "," or exponent == 0:
        return as_thousands
    return None
