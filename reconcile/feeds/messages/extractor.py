"""The general extractor: reads messages for which there is no template, by labels, verbs and currencies beside numbers.

What it reads is marked `low` and never moves money on its own. Where two figures could be the amount it chooses neither.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from reconcile.feeds.messages.currencies import currency_of_country
from reconcile.feeds.messages.figures import Piece, pieces_of
from reconcile.feeds.messages.kinds import deeds_of, kind_of, outcome_of
from reconcile.feeds.messages.lexer import lex
from reconcile.feeds.messages.moments import moment, moment_in_reference
from reconcile.feeds.messages.reading import UNPARSED, Reading, ambiguous
from reconcile.feeds.messages.references import parties_of, reference_of, tells_of_two
from reconcile.feeds.messages.roles import assign

if TYPE_CHECKING:
    from decimal import Decimal

    from reconcile.feeds.messages.numbers import DecimalMark

TEMPLATE = "general"
NOT_A_TRANSACTION = Reading("not_a_transaction")

_PROMISES = frozenset({"offer", "due"})

# A verb and its amount stand this close: "GHS25.00 sent to", "You have sent UGX 50,000", "debited with Rs 649".
_DEED_REACH_CHARACTERS = 30
# A bare number so long may be money in a currency that is not known; longer ones are codes.
_MONEY_DIGITS = 2
_CODE_DIGITS = 8


# Advertisements go to thousands of customers in one wording, and are what is left when templates have had their say.
_TEXTS_REMEMBERED = 1 << 12


@lru_cache(maxsize=_TEXTS_REMEMBERED)
def extract(lines: str, country: str | None) -> Reading:
    """The reading of a text (folded, its line breaks kept) by what can be told without knowing the sender's format.

    `country` is ISO 3166 in capitals.
    """
    lexemes = lex(lines)
    if lexemes is None:
        return UNPARSED
    pieces = pieces_of(lines, lexemes, country)
    codes = assign(lines, pieces)
    values = _Values(pieces, country)
    said = {role for piece in pieces for role in piece.roles if piece.role == "free"}
    if "human" in said or ("secret" in said and values.first("balance") is None):
        return NOT_A_TRANSACTION
    outcome = outcome_of(pieces)
    account, payer = parties_of(lines, pieces, codes)
    reference = reference_of(lines, pieces, codes)
    reading = Reading(
        "parsed",
        template=TEMPLATE,
        outcome=outcome,
        fee=values.first("fee"),
        balance=values.first("balance"),
        reference=reference,
        account=account,
        payer=payer,
        occurred_at=moment(lines.replace("\n", " "), country) or moment_in_reference(reference, country),
        confidence="low",
    )
    decided = _decide(reading, pieces, values)
    if decided.status in {"parsed", "ambiguous"} and tells_of_two(lines, pieces, codes):
        return Reading("ambiguous", template=TEMPLATE, alternatives=decided.alternatives or (decided,))
    return decided


def _decide(reading: Reading, pieces: list[Piece], values: _Values) -> Reading:
    said = _Said(pieces, reading, values)
    amounts = values.amounts()
    if reading.outcome is None and said.done:
        reading = reading._replace(outcome="success")
    if not amounts:
        return _without_amount(reading, pieces, said, values)
    if not said.done or not said.supported:
        return NOT_A_TRANSACTION if said.only_promised else UNPARSED
    readings = tuple(
        reading._replace(amount=amount, currency=code, kind=kind_of(pieces, piece, reading.outcome))
        for amount, code, piece in amounts
    )
    if len(readings) > 1:
        return ambiguous(readings)
    return readings[0]


def _without_amount(reading: Reading, pieces: list[Piece], said: _Said, values: _Values) -> Reading:
    if reading.outcome in {"failed", "reversed"} and (reading.reference or values.any_money):
        return reading._replace(kind=kind_of(pieces, None, reading.outcome))
    if reading.balance is not None and not said.deed and not values.any_unexplained:
        asset = values.currency_of("balance")
        return reading._replace(status="not_a_transaction", kind="balance_inquiry", outcome=None, currency=asset)
    if values.any_unexplained or (said.done and said.supported):
        return reading._replace(status="unparsed", kind=kind_of(pieces, None, reading.outcome), confidence=None)
    return NOT_A_TRANSACTION


class _Said:
    """What the words of a text say about whether anything was done."""

    def __init__(self, pieces: list[Piece], reading: Reading, values: _Values) -> None:
        live = frozenset(role for piece in pieces if piece.role == "free" for role in piece.roles)
        deeds = deeds_of(live)
        receipt = reading.reference is not None or "token" in live
        self.deed = bool(deeds)
        self.verb = not deeds.isdisjoint(live)
        self.done = (
            bool(deeds)
            or reading.outcome is not None
            or (receipt and values.any_amount)
            or (reading.balance is not None and values.any_amount)
        )
        self.supported = (
            self.verb
            or reading.outcome in {"pending", "failed", "reversed"}
            or receipt
            or "done" in live
            or reading.balance is not None
            or reading.fee is not None
            or any(piece.sort == "date" and piece.role == "free" for piece in pieces)
        )
        promised = any(not piece.roles.isdisjoint(_PROMISES) for piece in pieces)
        self.only_promised = promised and reading.reference is None and reading.balance is None


class _Values:
    """The figures of one text as amounts, read with the decimal mark and the currency that the text itself shows."""

    def __init__(self, pieces: list[Piece], country: str | None) -> None:
        self._numbers = [piece for piece in pieces if piece.what == "number"]
        self._deeds = [
            piece for piece in pieces if piece.what == "word" and piece.role == "free" and deeds_of(piece.roles)
        ]
        self.any_money = any(piece.code for piece in self._numbers)
        self.any_amount = any(piece.role in {"amount", "total"} for piece in self._numbers)
        self.any_unclaimed = any(piece.code and piece.role in {"free", "amount", "unknown"} for piece in self._numbers)
        # A language or a currency that nobody taught us: such a text is not read, but not denied either.
        self.any_unexplained = any(
            piece.role in {"free", "amount", "unknown"}
            and (piece.code or _MONEY_DIGITS <= len(piece.written) < _CODE_DIGITS)
            for piece in self._numbers
        )
        self._promised_an_amount = any("amount" in piece.roles and piece.role == "free" for piece in pieces)
        self._mark = _decimal_mark(self._numbers)
        codes = {piece.code for piece in self._numbers if piece.code}
        self._default = codes.pop() if len(codes) == 1 else None if codes else currency_of_country(country)

    def first(self, role: str) -> Decimal | None:
        """The first figure with that role, if it can be read."""
        piece = next((piece for piece in self._numbers if piece.role == role), None)
        return None if piece is None else piece.value(self._mark, self._default)

    def currency_of(self, role: str) -> str | None:
        piece = next((piece for piece in self._numbers if piece.role == role), None)
        return None if piece is None else piece.code or self._default

    def amounts(self) -> list[tuple[Decimal, str, Piece]]:
        """What could be the amount: one entry when it is certain, several when not, none when nothing could be."""
        labelled = self._distinct("amount")
        free = [entry for entry in self._distinct("free", with_currency=True) if entry[0]]
        totals = self._distinct("total")
        if labelled:
            rivals = [entry for entry in free if self._belongs_to_deed(entry[2])]
            rivals += [entry for entry in totals if not self._explains(entry[0], labelled[0][0])]
            return _different([*labelled, *rivals])
        if free:
            return _different(free)
        if totals:
            return [] if self._promised_an_amount or self.first("fee") else _different(totals)
        return self._bare()

    def _distinct(self, role: str, *, with_currency: bool = False) -> list[tuple[Decimal, str, Piece]]:
        found: list[tuple[Decimal, str, Piece]] = []
        for piece in self._numbers:
            if piece.role != role or (with_currency and piece.code is None):
                continue
            amount, code = piece.value(self._mark, self._default), piece.code or self._default
            if amount is None or code is None or piece.cut_off:
                return []  # a figure that cannot be read may be the very amount
            found.append((amount, code, piece))
        return _different(found)

    def _belongs_to_deed(self, piece: Piece) -> bool:
        return any(
            deed.sentence == piece.sentence
            and 0 <= max(piece.start - deed.end, deed.start - piece.end) <= _DEED_REACH_CHARACTERS
            for deed in self._deeds
        )

    def _explains(self, total: Decimal, amount: Decimal) -> bool:
        """Whether a total is the amount, or the amount with its fee and tax, or less (a net sum, a line cut off)."""
        fee, tax = self.first("fee") or 0, self.first("tax") or 0
        return total <= amount or total in {amount + fee, amount + fee + tax, amount + tax}

    def _bare(self) -> list[tuple[Decimal, str, Piece]]:
        """`Load for 98… of 300.00 is successful`: a number without currency, but with the decimals of money."""
        if self._default is None:
            return []
        found = [
            (amount, self._default, piece)
            for piece in self._numbers
            if piece.role == "free" and piece.code is None and "." in piece.written[-3:]
            if self._belongs_to_deed(piece) and (amount := piece.value(self._mark, self._default))
        ]
        return _different(found)


def _different(entries: list[tuple[Decimal, str, Piece]]) -> list[tuple[Decimal, str, Piece]]:
    found: dict[tuple[Decimal, str], Piece] = {}
    for amount, code, piece in entries:
        found.setdefault((amount, code), piece)
    return [(amount, code, piece) for (amount, code), piece in found.items()]


def _decimal_mark(numbers: list[Piece]) -> DecimalMark | None:
    """The decimal mark that some figure of the text shows beyond doubt: `6.4`, `12,50`, `1,234.56`."""
    shown: set[DecimalMark] = set()
    for piece in numbers:
        written = piece.written.replace("'", "").replace(" ", "")
        mark: DecimalMark = "," if written.rfind(",") > written.rfind(".") else "."
        _, found, decimals = written.rpartition(mark)
        if found and len(decimals) in {1, 2} and piece.role != "code":
            shown.add(mark)
    return shown.pop() if len(shown) == 1 else None
