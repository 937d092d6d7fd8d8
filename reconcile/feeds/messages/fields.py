"""From the slots of a matched template to the fields of a reading; a slot that cannot be read for certain refuses it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reconcile.feeds.messages.currencies import currency, exponent
from reconcile.feeds.messages.moments import moment, moment_in_reference
from reconcile.feeds.messages.numbers import DecimalMark, numeral
from reconcile.feeds.messages.reading import Message, Reading

if TYPE_CHECKING:
    from decimal import Decimal

    from reconcile.feeds.messages.template import Template

_DIGITS = "0123456789"


def read_fields(template: Template, match: Any, message: Message) -> Reading | None:
    """The reading of a match of `template`, or None where one of its figures has no certain reading."""
    row = template.row
    written = {name: value.decode() for name, index in template.slots.items() if (value := match.group(index))}
    country = _country(template, message)
    figures: dict[str, Decimal] = {}
    asset: str | None = None
    for slot in ("amount", "total", "fee", "balance"):
        if slot not in written:
            continue
        read = money(written[slot], country, row.currency, template.mark)
        if read is None:
            return None
        figures[slot], code = read
        if slot == "amount" or asset is None:
            asset = code
        elif code != asset and slot == "fee":
            return None
    if asset is None and row.currency is not None:
        asset = currency(row.currency, country)
    reference = written.get("reference")
    occurred_at = moment(written.get("time"), country) or moment_in_reference(reference, country)
    return Reading(
        "parsed",
        template=row.name,
        kind=row.kind,
        outcome=row.outcome,
        amount=figures.get("amount"),
        currency=asset,
        fee=figures.get("fee"),
        balance=figures.get("balance"),
        reference=reference,
        account=_compact(written.get("account")),
        payer=_compact(written.get("payer")),
        occurred_at=occurred_at,
        confidence="high" if template.from_sender(message.sender) else "low",
    )


def _country(template: Template, message: Message) -> str | None:
    if message.country is not None:
        return message.country.upper()
    return template.row.countries[0] if len(template.row.countries) == 1 else None


def money(
    written: str, country: str | None, default: str | None, mark: DecimalMark | None
) -> tuple[Decimal, str] | None:
    """Amount and ISO 4217 currency of `1 050 FCFA`, `Ksh1,000.00`, `NGN-57,000.00`; None when either is not certain."""
    start = next((place for place, character in enumerate(written) if character in _DIGITS), None)
    if start is None:
        return None
    end = max(written.rfind(digit) for digit in _DIGITS) + 1
    before, after = written[:start].strip(), written[end:].strip(" ,")
    number = written[start:end]
    if before.endswith(".") and (before == "." or before[-2:-1] in {" ", ""}):
        before, number = before[:-1].strip(), "0." + number
    code = _code(before.strip(" .+-"), after, default, country)
    if code is None:
        return None
    amount = numeral(number, exponent(code), mark)
    return None if amount is None else (amount, code)


@lru_cache(maxsize=4096)
def _code(before: str, after: str, default: str | None, country: str | None) -> str | None:
    """The currency that the marks on both sides agree on, or the default where there is none."""
    codes = {currency(mark, country) for mark in (before, after) if mark}
    if not codes and default is not None:
        codes = {currency(default, country)}
    return codes.pop() if len(codes) == 1 else None


def _compact(number: str | None) -> str | None:
    """`07 07 12 34 56` → `0707123456`; masks are kept."""
    return None if number is None else number.replace(" ", "").replace("-", "").upper()
