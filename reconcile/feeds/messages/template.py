"""One message format as data: a pattern with named slots, written against folded text (see `fold`), compiled to RE2."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

import re2
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from reconcile.feeds.messages.reading import KINDS, OUTCOMES

if TYPE_CHECKING:
    from reconcile.feeds.messages.numbers import DecimalMark

_MONEY = r"(?:[A-Za-z$]{1,5}\.? ?)?[-+]?(?:[0-9](?:[0-9.,' ]*[0-9])?|\.[0-9]{1,2})(?:,? ?(?:F ?CFA|[A-Za-z$]{1,5}))?"
_REFERENCE = r"[0-9A-Za-z](?:[0-9A-Za-z./_-]*[0-9A-Za-z])?"
_ACCOUNT = r"[+0-9*Xx][0-9*Xx -]{1,24}[0-9*Xx]"
_MONEY_SLOTS = ("amount", "fee", "balance", "total")

# What `{slot}` in a pattern stands for. Slots in `_MONEY_SLOTS` and these become fields; the rest are only skipped over.
_SLOTS = {
    **{name: f"(?P<{name}>{_MONEY})" for name in _MONEY_SLOTS},
    "reference": f"(?P<reference>{_REFERENCE})",
    # RC240709.1345.A00011: kind, date, time, serial
    "dated_reference": r"(?P<reference>[A-Z]{2,4}[0-9]{6}\.[0-9]{4}\.[A-Z]{0,2}[0-9]{3,10})",
    "account": f"(?P<account>{_ACCOUNT})",
    "payer": f"(?P<payer>{_ACCOUNT})",
    "time": r"(?P<time>[0-9][0-9A-Za-z/:,. -]{4,30}[0-9mM])",
    "money": _MONEY,
    "name": r".{1,80}?",
    "rest": r"(?P<rest>[ .].*)?",
    ":": r" ?[:=]? ?",
}


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
    """A `[[template]]` of a TOML file, checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    sender: str | None = None
    countries: tuple[str, ...] = ()
    language: str = Field(pattern=r"^[a-z]{2}$")
    kind: str
    outcome: Literal["success", "pending", "failed", "reversed"]
    currency: str | None = None
    decimal_mark: Literal[".", ","] | None = None
    pattern: str
    examples: tuple[Example, ...] = Field(min_length=2)

    @field_validator("kind")
    @classmethod
    def _kind_is_known(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}, expected one of {', '.join(sorted(KINDS))}")
        return kind

    @model_validator(mode="after")
    def _success_has_an_amount(self) -> Self:
        if self.outcome in {"success", "pending"} and "{amount}" not in self.pattern:
            raise ValueError("a template of a purchase needs the slot {amount}")
        return self


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. `slots` maps a field to its group's number in `expression`."""

    row: TemplateRow
    regular_expression: str
    expression: Any = field(repr=False, compare=False)
    sender: Any = field(repr=False, compare=False)
    slots: dict[str, int] = field(repr=False, compare=False)

    @classmethod
    def compile(cls, row: TemplateRow) -> Template:
        """The template, ready to match; raises `TemplateError` with the template's name."""
        source = f"(?is){expand(row.pattern, row.name)}"
        try:
            expression = re2.compile(source.encode(), _options())
            sender = re2.compile(f"(?i)^(?:{row.sender})$") if row.sender else None
        except re2.error as error:
            raise TemplateError(f"template {row.name}: its pattern does not compile: {error}") from error
        slots = {name.decode(): number for name, number in expression.groupindex.items()}
        return cls(row, source, expression, sender, slots)

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def mark(self) -> DecimalMark | None:
        return self.row.decimal_mark

    def from_sender(self, sender: str | None) -> bool:
        """Whether that sender may have sent it; an unknown sender may."""
        return sender is None or self.sender is None or self.sender.search(sender) is not None


def expand(pattern: str, name: str) -> str:
    """The RE2 source of a pattern: slots become groups, line breaks nothing; raises `TemplateError`."""
    pieces: list[str] = []
    rest = "".join(pattern.strip("\n").splitlines())
    while True:
        literal, brace, rest = rest.partition("{")
        pieces.append(literal)
        if not brace:
            return "".join(pieces)
        slot, closing, rest = rest.partition("}")
        if slot[:1].isdecimal():  # a repetition: x{2,4}
            pieces.append("{" + slot + closing)
        elif slot in _SLOTS:
            pieces.append(_SLOTS[slot])
        else:
            raise TemplateError(f"template {name}: unknown slot {{{slot}}}, expected one of {', '.join(_SLOTS)}")


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


assert {"success", "pending", "failed", "reversed"} == OUTCOMES
