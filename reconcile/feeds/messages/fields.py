"""From the slots of a matched template to the fields of a reading; a slot that cannot be read for certain refuses it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from reconcile.feeds.messages.currencies import currency, exponent
from reconcile.feeds.messages.expressions import Expression, Spans
from reconcile.feeds.messages.moments import moment, moment_in_reference
from reconcile.feeds.messages.numbers import numeral
from reconcile.feeds.messages.reading import Message, Reading

if TYPE_CHECKING:
    from decimal import Decimal

    from reconcile.feeds.messages.template import Template

# What may follow a message that was read to its end is an advertisement: no second transaction, and nothing that the
# template should have read.
_MORE_TO_READ = Expression(
    r"(?:trans(?:action)?\.? ?id|id (?:de )?(?:la )?trans|txn ?id|tid ?:|(?:new|current|nouveau|votre nouveau) (?:balance|solde)"
    r"|\b(?:balance|bal|solde|ref|reference|id)\b[^a-z0-9][^.!]{0,9}[0-9]"
    r"|[A-Z0-9]{8} confirmed|\b(?:payment|cash ?(?:in|out)|withdraw|withdrawn|sent|paid|received|bought|debited|credited|confirmed|confirmado"
    r"|paiement|transfert|retrait|depot|envoi|achat|recu|paye|envoye|transfere|achete|retire"
    r"|ume(?:tuma|pokea|lipa|toa|nunua))\b[^.!]*[ :][A-Za-z$]*[0-9])"
)


def read_fields(template: Template, folded: str, spans: Spans, message: Message, country: str | None) -> Reading | None:
    """The reading of a match of `template`, or None where one of its figures has no certain reading."""
    row, groups = template.row, template.groups
    text = _texts(folded, spans)
    rest = text[groups.rest]
    if rest and _MORE_TO_READ.search(rest.encode()):
        return None
    asset: str | None = None
    figures: dict[str, Decimal] = {}
    is_running = row.running_balance
    for slot, number, before, after in groups.money:
        written = text[number]
        if written is None:
            continue
        unit = _unit(text[before], text[after], row.currency, country)
        if unit is None:
            return None
        code, decimals = unit
        figure = numeral(written, decimals, row.decimal_mark)
        if figure is None or (slot == "fee" and asset is not None and code != asset):
            return None
        figures[slot] = figure
        asset = asset or code
        # A balance in another currency is that of another account.
        is_running = is_running and code == asset
    if "amount" not in figures and row.outcome in _NEEDS_AMOUNT:
        return None
    reference = text[groups.reference]
    time = text[groups.time]
    return Reading(
        "parsed",
        row.name,
        row.kind,
        row.outcome,
        figures.get("amount"),
        asset,
        figures.get("fee"),
        figures.get("balance"),
        reference,
        _compact(text[groups.account]),
        _compact(text[groups.payer]),
        moment(time, country) if time else moment_in_reference(reference, country),
        "high" if template.from_sender(message.sender) else "low",
        (),
        figures.get("balance") if is_running else None,
    )


def _texts(folded: str, spans: Spans) -> list[str | None]:
    """The texts of all groups by their numbers; number 0 stands for a group that the pattern does not have."""
    data = folded.encode()
    if len(data) == len(folded):
        texts = [None if start < 0 else folded[start:end] for start, end in spans]
    else:
        texts = [None if start < 0 else data[start:end].decode() for start, end in spans]
    texts[0] = None
    return texts


_NEEDS_AMOUNT = frozenset({"success", "pending"})


@lru_cache(maxsize=4096)
def _unit(before: str | None, after: str | None, default: str | None, country: str | None) -> tuple[str, int] | None:
    """The currency on which the marks on both sides agree, or the default where there is none, and its decimals."""
    code = _code(before, after, default, country)
    return None if code is None else (code, exponent(code))


def _code(before: str | None, after: str | None, default: str | None, country: str | None) -> str | None:
    marks = [mark for mark in (before, after) if mark]
    if not marks:
        return None if default is None else currency(default, country)
    # A word that is no currency is the next word of the text, if the other side settles it: "$9.00 HODAN ALI".
    codes = {code for mark in marks if (code := currency(mark, country))}
    return codes.pop() if len(codes) == 1 else None


def _compact(number: str | None) -> str | None:
    """`07 07 12 34 56` → `0707123456`; masks are kept."""
    return None if number is None else number.replace(" ", "").replace("-", "").upper()
