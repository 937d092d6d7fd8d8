"""`reconcile templates suggest`: unread messages of one shape become one proposed template, for a person to review."""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconcile.feeds.messages.catalogue import Catalogue
from reconcile.feeds.messages.extractor import extract
from reconcile.feeds.messages.fields import read_fields
from reconcile.feeds.messages.figures import Piece, pieces_of
from reconcile.feeds.messages.lexer import lex
from reconcile.feeds.messages.reading import Message
from reconcile.feeds.messages.roles import assign
from reconcile.feeds.messages.template import Example, Template, TemplateError, TemplateRow
from reconcile.feeds.messages.text import MAX_TEXT_CHARACTERS, fold
from reconcile.feeds.messages.vocabulary import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from reconcile.feeds.messages.reading import Reading

LEAST_MESSAGES = 3
MOST_SUGGESTIONS = 100
# So many messages of one shape say all that more of them would.
_MESSAGES_COMPARED = 50
_EXAMPLES = 3
_MONEY_ROLES = {"amount": "amount", "total": "total", "fee": "fee", "balance": "balance"}
_FUNCTION_WORDS = {
    "fr": {"vous", "votre", "de", "le", "est", "avez", "du"},
    "en": {"you", "your", "the", "is", "have", "to", "from"},
    "sw": {"kwa", "ya", "umepokea", "umetuma", "salio", "ni", "kutoka"},
    "pt": {"para", "de", "saldo", "e", "taxa", "aos"},
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A proposed template and how many of the messages have its shape."""

    row: TemplateRow
    messages: int


@dataclass(frozen=True, slots=True)
class _Shaped:
    message: Message
    text: str
    slots: tuple[tuple[Piece, str], ...]
    reading: Reading

    @property
    def shape(self) -> tuple[str, ...]:
        return tuple(slot if slot.startswith("{") else key_of(slot) for _, slot in self.slots)


def suggest(messages: Iterable[Message], catalogue: Catalogue, *, least: int = LEAST_MESSAGES) -> list[Suggestion]:
    """Proposed templates for the messages that no template reads, the most frequent shape first.

    Each compiles, matches the messages that it was made from, and has examples filled in by the general extractor.
    """
    shapes: Counter[tuple[str, ...]] = Counter()
    members: dict[tuple[str, ...], list[_Shaped]] = defaultdict(list)
    for message in messages:
        reading = catalogue.read(message)
        if reading.status == "not_a_transaction" or reading.confidence == "high":
            continue
        shaped = _shaped(message)
        if shaped is not None and any(slot.startswith("{") for _, slot in shaped.slots):
            shapes[shaped.shape] += 1
            if len(members[shaped.shape]) < _MESSAGES_COMPARED:
                members[shaped.shape].append(shaped)
    frequent = [shape for shape, count in shapes.most_common(MOST_SUGGESTIONS) if count >= max(least, 2)]
    proposed = (_proposed(f"suggestion-{number}", members[shape]) for number, shape in enumerate(frequent, start=1))
    return _distinct(
        [Suggestion(row, shapes[shape]) for shape, row in zip(frequent, proposed, strict=True) if row is not None]
    )


def _distinct(suggestions: list[Suggestion]) -> list[Suggestion]:
    """Without those whose messages another suggestion reads already: together they are a file that passes its examples."""
    catalogue = Catalogue(Template.compile(suggestion.row) for suggestion in suggestions)
    return [
        suggestion
        for suggestion in suggestions
        if all(
            catalogue.read(Message("", example.text, country=example.country)).template == suggestion.row.name
            for example in suggestion.row.examples
        )
    ]


def rendered(suggestions: Iterable[Suggestion]) -> str:
    """The suggestions as a TOML file to review: names, kinds and examples are to be checked, then it is a template file."""
    lines: list[str] = []
    for suggestion in suggestions:
        row = suggestion.row.model_dump(exclude_none=True, exclude={"pattern", "examples"}, exclude_defaults=True)
        lines += [f"# {suggestion.messages} messages of this shape", "[[template]]", *_toml(row)]
        lines += ["pattern = '''", suggestion.row.pattern.replace("'''", "..."), "'''", ""]
        for example in suggestion.row.examples:
            lines += ["[[template.examples]]", *_toml(example.model_dump(exclude_none=True)), ""]
    return "\n".join(lines)


def _toml(values: dict[str, Any]) -> list[str]:
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]


def _shaped(message: Message) -> _Shaped | None:
    text = fold(message.text)
    lexemes = lex(text) if len(text) <= MAX_TEXT_CHARACTERS else None
    if lexemes is None:
        return None
    country = None if message.country is None else message.country.upper()
    pieces = pieces_of(text, lexemes, country)
    codes = assign(text, pieces)
    reading = extract(text, country)
    labelled = [*codes.of("id"), *codes.of("ref")]
    own = (piece for piece in (*labelled, *pieces) if reading.reference and piece.text == reading.reference)
    reference = next(own, labelled[0] if labelled else None)
    used: set[str] = set()
    slots: list[tuple[Piece, str]] = []
    for piece in pieces:
        if piece.what == "word" and not piece.roles:
            continue  # a currency's mark that stands alone: the initial of a name
        slot = _slot(piece, reading, is_reference=piece is reference)
        if slot in used:  # a field is read once; what looks like it again is only skipped over
            slot = "{money}" if piece.what == "number" and piece.code else "{code}"
        if slot in _FIELDS:
            used.add(slot)
        slots.append((piece, slot))
    return _Shaped(message, text, tuple(_with_times(text, slots)), reading)


_ACCOUNT_CHARACTERS = frozenset("+0123456789*Xx")
_FIELDS = frozenset({"{amount}", "{total}", "{fee}", "{balance}", "{reference}", "{account}", "{payer}"})


def _slot(piece: Piece, reading: Reading, *, is_reference: bool) -> str:
    """The slot for a piece, or its own text where it is a word of the language."""
    digits = piece.text.replace(" ", "").replace("-", "")
    if is_reference:
        return "{reference}"
    if piece.what in {"number", "code"} and _ACCOUNT_CHARACTERS.issuperset(digits):
        if digits == reading.account:
            return "{account}"
        if digits == reading.payer:
            return "{payer}"
    if piece.what == "number" and (piece.code or piece.role in _MONEY_ROLES):
        is_amount = piece.role == "free" and reading.amount is not None and piece.value(None, None) == reading.amount
        return "{amount}" if is_amount else "{" + _MONEY_ROLES.get(piece.role, "money") + "}"
    if piece.what == "word":
        return piece.text
    if piece.sort in {"date", "clock"}:
        return "{when}"
    return "{link}" if piece.sort == "url" else "{code}"


def _with_times(text: str, slots: list[tuple[Piece, str]]) -> list[tuple[Piece, str]]:
    """The first date with a time beside it becomes one slot {time}."""
    for index, ((date, _), (clock, _)) in enumerate(itertools.pairwise(slots)):
        if (date.sort, clock.sort) == ("date", "clock") and text[date.end : clock.start] in {" ", ", ", " at ", " a "}:
            both = Piece("other", date.start, clock.end, text[date.start : clock.end], date.roles, date.sort)
            return [*slots[:index], (both, "{time}"), *slots[index + 2 :]]
    return slots


def _proposed(name: str, members: list[_Shaped]) -> TemplateRow | None:
    """The row of one shape: what all members have in common stands as it is, what differs between slots is a {name}."""
    pattern = ""
    first = members[0]
    for index in range(len(first.slots) + 1):
        pattern += _between([_gap(member, index) for member in members])
        if index < len(first.slots):
            slot = first.slots[index][1]
            pattern += slot if slot.startswith("{") else _escaped(slot)
    if "{amount}" not in pattern:  # for the reviewer to check: no figure was certain
        pattern = (
            pattern.replace("{total}", "{amount}", 1)
            if "{total}" in pattern
            else pattern.replace("{money}", "{amount}", 1)
        )
    reading = first.reading
    senders = {member.message.sender for member in members}
    row = TemplateRow(
        name=name,
        sender=_escaped(sender) if len(senders) == 1 and (sender := senders.pop()) else None,
        language=_language(first.text),
        kind=reading.kind or "payment",
        outcome=(reading.outcome or "success") if "{amount}" in pattern else "failed",
        countries=tuple(sorted({member.message.country for member in members if member.message.country})),
        pattern=pattern,
        examples=tuple(Example(text=member.message.text) for member in members[:_EXAMPLES]),
    )
    try:
        template = Template.compile(row)
    except TemplateError:
        return None
    readings = [_read(template, member) for member in members]
    if None in readings:
        return None
    examples = [_example(member, read) for member, read in zip(members, readings, strict=True) if read is not None]
    return row.model_copy(update={"examples": tuple(examples[:_EXAMPLES])})


def _read(template: Template, member: _Shaped) -> Reading | None:
    spans = template.expression.full(member.text.encode())
    country = member.message.country and member.message.country.upper()
    return (
        None
        if spans is None
        else read_fields(template, member.text, spans, member.message, country or template.country)
    )


def _gap(member: _Shaped, index: int) -> str:
    start = member.slots[index - 1][0].end if index else 0
    end = member.slots[index][0].start if index < len(member.slots) else len(member.text)
    return member.text[start:end]


def _between(gaps: list[str]) -> str:
    """What the gaps have in common at both ends, by words, and a slot for what differs."""
    if len(set(gaps)) == 1:
        return _escaped(gaps[0])
    rows = [gap.split(" ") for gap in gaps]
    shortest = min(len(row) for row in rows)
    front = next((at for at in range(shortest) if len({row[at] for row in rows}) > 1), shortest)
    back = next((at for at in range(shortest - front) if len({row[-1 - at] for row in rows}) > 1), shortest - front)
    leading = "".join(_escaped(word) + " " for word in rows[0][:front])
    trailing = "".join(" " + _escaped(word) for word in rows[0][len(rows[0]) - back :])
    return leading + "{note}" + trailing


def _escaped(text: str) -> str:
    """The text as a pattern. Braces would be slots, so any character may stand for them."""
    return "".join("." if letter in "{}" else f"\\{letter}" if letter in _SPECIAL else letter for letter in text)


_SPECIAL = frozenset("\\.+*?()|[]^$")


def _language(text: str) -> str:
    words = set(text.lower().split())
    return max(_FUNCTION_WORDS, key=lambda language: len(words & _FUNCTION_WORDS[language]))


def _example(member: _Shaped, reading: Reading) -> Example:
    def plain(amount: Decimal | None) -> str | None:
        return None if amount is None else format(amount, "f")

    return Example(
        text=member.message.text,
        country=member.message.country,
        amount=plain(reading.amount),
        currency=reading.currency,
        fee=plain(reading.fee),
        balance=plain(reading.balance),
        reference=reading.reference,
        account=reading.account,
        payer=reading.payer,
        occurred_at=reading.occurred_at.isoformat() if reading.occurred_at else None,
    )
