"""One message format as data: a pattern with named slots, written against folded text (see `fold`), compiled to RE2."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from reconcile.feeds.messages.expressions import Expression, ExpressionError
from reconcile.feeds.messages.reading import KINDS

MONEY_SLOTS = ("amount", "total", "fee", "balance")
# Repetitions without an upper bound: RE2 writes bounded ones out, and the expression becomes several times slower.
_BEFORE = r"(?:[A-Za-z]+\$?|\$)"
_AFTER = r"(?:F ?CFA|[A-Za-z]+|\$)"
_NUMBER = r"[0-9](?:[0-9.,' ]*[0-9])?|\.[0-9]{1,2}"
_MONEY = rf"(?:{_BEFORE}\.?:? ?)?[-+]?(?:{_NUMBER})(?:,? ?{_AFTER})?"
_REFERENCE = r"[0-9A-Za-z](?:[0-9A-Za-z./_-]*[0-9A-Za-z])?"
_ACCOUNT = r"[+0-9*Xx][0-9*Xx -]+[0-9*Xx]"
# 2024-07-09 13:45:12, 9/7/24 at 1:45 PM, 09-July-2024 13h45
_CLOCK = r"[0-9]+[:h][0-9]+(?:[:m][0-9]+s?)?(?: ?[ap]m)?"
_TIME = rf"[0-9]+[-/. ][0-9A-Za-z]+[-/. ][0-9]+(?:,? ?(?:at |as |aos |saa |a )?{_CLOCK})?"


def _money(name: str) -> str:
    return rf"(?:(?P<{name}_before>{_BEFORE})\.?:? ?)?[-+]?(?P<{name}>{_NUMBER})(?:,? ?(?P<{name}_after>{_AFTER}))?"


# What `{slot}` in a pattern stands for. The named groups become fields; the other slots are only skipped over.
SLOTS = {
    **{name: _money(name) for name in MONEY_SLOTS},
    "reference": f"(?P<reference>{_REFERENCE})",
    "dated_reference": r"(?P<reference>[A-Z]+[0-9]{6}\.[0-9]{4}\.[A-Z]*[0-9]{3,})",  # RC240709.1345.A00011
    "digits_reference": r"(?P<reference>[0-9]{6,})",
    "receipt": r"(?P<reference>[A-Z0-9]{8,})",  # M-Pesa: SGR1122334
    "account": f"(?P<account>{_ACCOUNT})",
    "payer": f"(?P<payer>{_ACCOUNT})",
    "time": rf"(?P<time>{_TIME})",
    "money": _MONEY,
    "code": r"[+*]?[0-9A-Za-z][0-9A-Za-z*+./_-]*",
    "when": rf"(?:{_TIME}|{_CLOCK})",
    "link": r"[^ ]+",
    "name": r"[^:]+?",
    "note": r".*?",
    "ussd": r"(?:\*[0-9]+\*(?:[SR]\*)?)?",  # *165*S*, left by gateways that pass a menu's answer on
    "rest": r"(?P<rest>[ .,*!A-Za-z].*)?",
    ":": r" ?[:=]? ?",
}


_NAMED = frozenset(name for name, source in SLOTS.items() if "(?P<" in source)


class TemplateError(ValueError):
    """A template cannot be used: its pattern does not compile, names an unknown slot, or lacks a needed one."""


class Example(BaseModel):
    """A worked example: a text and exactly what must be read from it, amounts as decimal strings in major units."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    country: str | None = None
    amount: str | None = None
    currency: str | None = None
    fee: str | None = None
    balance: str | None = None
    reference: str | None = None
    account: str | None = None
    payer: str | None = None
    occurred_at: str | None = None


class TemplateRow(BaseModel):
    """A `[[template]]` of a TOML file, checked. `running_balance`: its balance is what the credited account has after the credit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    sender: str | None = None
    countries: tuple[str, ...] = ()
    language: str = Field(pattern=r"^[a-z]{2}$")
    kind: str
    outcome: Literal["success", "pending", "failed", "reversed"]
    currency: str | None = None
    decimal_mark: Literal[".", ","] | None = None
    running_balance: bool = False
    pattern: str
    examples: tuple[Example, ...] = Field(min_length=2)

    @field_validator("kind")
    @classmethod
    def _kind_is_known(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}, expected one of {', '.join(sorted(KINDS))}")
        return kind

    @model_validator(mode="after")
    def _purchase_has_an_amount(self) -> Self:
        if self.outcome in {"success", "pending"} and "{amount}" not in self.pattern:
            raise ValueError("a template of a purchase needs the slot {amount}")
        return self

    @model_validator(mode="after")
    def _running_balance_is_there(self) -> Self:
        if self.running_balance and (self.outcome != "success" or "{balance}" not in self.pattern):
            raise ValueError("running_balance says that {balance} is what a success leaves on the credited account")
        return self


@dataclass(frozen=True, slots=True)
class Groups:
    """The numbers of a pattern's groups, 0 for one that it does not have. `money`: slot, figure, mark before, mark after."""

    money: tuple[tuple[str, int, int, int], ...]
    reference: int
    account: int
    payer: int
    time: int
    rest: int

    @classmethod
    def of(cls, expression: Expression) -> Groups:
        number = expression.groups
        money = tuple(
            (slot, number[slot], number[f"{slot}_before"], number[f"{slot}_after"])
            for slot in MONEY_SLOTS
            if slot in number
        )
        return cls(money, *(number.get(name, 0) for name in ("reference", "account", "payer", "time", "rest")))


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. Of two that fit one text, the one with more literal characters is the closer."""

    row: TemplateRow
    source: str
    literal_characters: int
    expression: Expression = field(repr=False, compare=False)
    groups: Groups = field(repr=False, compare=False)
    sender: Expression | None = field(repr=False, compare=False)

    @classmethod
    def compile(cls, row: TemplateRow) -> Template:
        """The template, ready to match; raises `TemplateError` with the template's name."""
        source, literals = expand(row.pattern, row.name)
        try:
            expression = Expression(source)
            sender = Expression(row.sender) if row.sender else None
        except ExpressionError as error:
            raise TemplateError(f"template {row.name}: its pattern does not compile: {error}") from error
        return cls(row, source, literals, expression, Groups.of(expression), sender)

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def country(self) -> str | None:
        """Where the format is used, if that is one country: it settles the currency of a message that names none."""
        return self.row.countries[0] if len(self.row.countries) == 1 else None

    def from_sender(self, sender: str | None) -> bool:
        """Whether that sender may have sent it; an unknown sender may."""
        return sender is None or self.sender is None or _fits(self.sender, sender)

    def in_country(self, country: str | None) -> bool:
        """Whether the format is used there; a message of unknown country may have any format."""
        return country is None or not self.row.countries or country in self.row.countries


@lru_cache(maxsize=1 << 14)
def _fits(expression: Expression, sender: str) -> bool:
    return expression.full(sender.encode()) is not None


def expand(pattern: str, name: str) -> tuple[str, int]:
    """The RE2 source of a pattern and how much of it is not slots; line breaks are nothing. Raises `TemplateError`."""
    pieces: list[str] = []
    literals = 0
    used: set[str] = set()
    rest = "".join(pattern.strip("\n").splitlines())
    while True:
        literal, brace, rest = rest.partition("{")
        pieces.append(literal)
        literals += len(literal)
        if not brace:
            return "".join(pieces), literals
        slot, closing, rest = rest.partition("}")
        if not closing:
            raise TemplateError(f"template {name}: the brace before {slot!r} is not closed")
        if slot[:1].isdecimal():  # a repetition: x{2,4}
            pieces.append("{" + slot + closing)
        elif slot in SLOTS:
            pieces.append(SLOTS[slot])
            if slot in _NAMED and slot in used:
                raise TemplateError(f"template {name}: the slot {{{slot}}} stands twice")
            used.add(slot)
        else:
            raise TemplateError(f"template {name}: unknown slot {{{slot}}}, expected one of {', '.join(SLOTS)}")
