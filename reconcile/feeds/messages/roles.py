"""What the words around the figures and codes of a text say each of them is: amount, fee, balance, reference, account."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING

from reconcile.feeds.messages.figures import is_identifier
from reconcile.feeds.messages.vocabulary import DEEDS, key_of

if TYPE_CHECKING:
    from reconcile.feeds.messages.figures import Piece

# Of several lists that hold a word, the first of these is what it says of a figure that follows.
_FIGURE_ORDER = ("side_balance", "aside", "count", "balance", "tax", "fee", "total", "amount")
_CODE_ORDER = ("party", "side_id", "id", "ref", "receipt", "token", "account")
# How many characters may lie between a label and its figure: "amount used to complete this transaction is Ksh150".
_REACH_CHARACTERS = {
    "amount": 45,
    "total": 25,
    "fee": 30,
    "tax": 25,
    "balance": 45,
    "side_balance": 45,
    "aside": 28,
    "count": 28,
}
# "You have paid your loan balance by TSh 1,000": what follows these is no longer what the label names.
_BREAKS = frozenset({"by", "with", "from", "and", "et"})
# Without a currency a number belongs to a label only when it stands right behind it.
_BARE_REACH_CHARACTERS = 16
_BARE_LONGEST_DIGITS = 9
_CODE_REACH_CHARACTERS = 24
_BETWEEN_LABEL_AND_CODE = frozenset(
    (
        "",
        "is",
        "est",
        "no",
        "number",
        "nb",
        "de",
        "n",
        "of",
        "was",
        "ni",
        "numero",
        "id",
        "e",
        "waa",
        "ending",
        "ending in",
        "the",
        "your",
    )
)
_NOTE_ENDS = frozenset({"amount", "balance", "fee", "id"})
_ADDRESSED = frozenset({"you", "vous", "tu"})
_BRAND_CHARACTERS = 24
_GIFTS = frozenset({"bonus", "cashback"})
_BETWEEN_FIGURE_AND_NAME = frozenset({" ", " de ", " en ", " of "})
_CLOSES = frozenset({"", ".", "!", ",", ";", ")"})


@dataclass(slots=True)
class Codes:
    """Codes by what their labels call them, in the order of the text."""

    by_role: dict[str, list[Piece]] = field(default_factory=dict)

    def add(self, role: str, piece: Piece) -> None:
        self.by_role.setdefault(role, []).append(piece)

    def of(self, role: str) -> list[Piece]:
        return self.by_role.get(role, [])


def assign(text: str, pieces: list[Piece]) -> Codes:
    """Set the role of every number with a label, and collect the codes that have one."""
    walk = _Walk(text)
    for piece in pieces:
        walk.step(piece)
    _set_aside_what_is_asked(text, pieces)
    _set_aside_what_is_due(pieces)
    return walk.codes


class _Walk:
    """One pass from left to right: the nearest label says what a figure is, until a sentence or a verb comes between."""

    def __init__(self, text: str) -> None:
        self.codes = Codes()
        self._text = text
        self._figure_label: tuple[str, Piece] | None = None
        self._code_label: tuple[str, Piece] | None = None
        self._note: Piece | None = None
        self._offer_sentence = -1
        self._previous: Piece | None = None

    def step(self, piece: Piece) -> None:
        gap = "" if self._previous is None else self._text[self._previous.end : piece.start]
        if self._previous is not None and piece.sentence != self._previous.sentence:
            self._figure_label = self._code_label = None
        if self._note is not None and (
            piece.sentence != self._note.sentence or "\n" in gap or _ends_note(self._text, piece)
        ):
            self._note = None
        if self._note is not None:
            piece.role = "note"
        elif piece.what == "word":
            self._take_word(piece, gap)
        elif piece.what in {"number", "code"}:
            self._take_code(piece)
            if piece.role == "free" and piece.what == "number":
                self._take_number(piece)
        self._previous = piece

    def _take_word(self, piece: Piece, gap: str) -> None:
        if "note" in piece.roles and self._text[piece.end : piece.end + 3].lstrip().startswith(":"):
            self._note = piece
        if "offer" in piece.roles:
            self._offer_sentence = piece.sentence
        elif _is_deed(piece) and piece.text.split()[0].lower() in _ADDRESSED:  # the advertisement had no full stop
            self._offer_sentence = -1
        if piece.sentence == self._offer_sentence:
            piece.role = "offer"
        if self._previous is not None and _names_what_stands_before(self._text, self._previous, gap, piece):
            self._previous.role = "aside"
        if found := _first(piece.roles, _FIGURE_ORDER):
            self._figure_label = (found, piece)
        elif self._figure_label and _is_deed(piece):
            belongs = gap == " " and _opens_value(self._text, piece)
            self._figure_label = (self._figure_label[0], piece) if belongs else None
        elif piece.code and not piece.roles:  # a currency without a number: an empty slot
            self._figure_label = None
        if found := _first(piece.roles, _CODE_ORDER):
            self._code_label = (found, piece)

    def _take_code(self, piece: Piece) -> None:
        if self._code_label and _labels_code(self._text, *self._code_label, piece):
            self.codes.add(self._code_label[0], piece)
            self._code_label = None
            piece.role = "code"

    def _take_number(self, piece: Piece) -> None:
        if self._figure_label and _labels_figure(self._text, *self._figure_label, piece):
            piece.role, piece.label = self._figure_label[0], key_of(self._figure_label[1].text)
            self._figure_label = None
        elif self._previous and self._previous.what == "word" and self._previous.roles:
            piece.role = "free"
        elif _after_colon(self._text, piece):
            piece.role = "unknown"
        if piece.sentence == self._offer_sentence and piece.role in {"free", "amount", "total", "unknown"}:
            piece.role = "offer"


def _names_what_stands_before(text: str, number: Piece, gap: str, word: Piece) -> bool:
    """`2000 FCFA de bonus.`, `N600 bonus!`, `MK90,000 left`: said behind the figure, and no label of another one."""
    if number.what != "number" or number.role != "free" or gap not in _BETWEEN_FIGURE_AND_NAME:
        return False
    key = key_of(word.text)
    return key == "left" or (key in _GIFTS and text[word.end : word.end + 1] in _CLOSES)


def _set_aside_what_is_asked(text: str, pieces: list[Piece]) -> None:
    """A question says nothing of what was done: neither its figures nor its verbs count."""
    asked = {
        piece.sentence
        for piece, following in zip_longest(pieces, pieces[1:])
        if _asks(text[piece.end : following.start if following else len(text)])
    }
    for piece in pieces:
        if piece.sentence in asked and piece.role in _TELLING:
            piece.role = "due"


def _asks(gap: str) -> bool:
    """Whether the sentence of what stands before the gap ends in a question mark; words that nobody knows may precede it."""
    end = next((character for character in gap if character in ".!?;\n"), "")
    return end == "?"


_TELLING = frozenset({"free", "amount", "total", "unknown"})


def _set_aside_what_is_due(pieces: list[Piece]) -> None:
    """A sentence that only announces, asks or demands a payment says nothing about one that was made."""
    due = {piece.sentence for piece in pieces if piece.role == "free" and "due" in piece.roles}
    told = {piece.sentence for piece in pieces if piece.role == "free" and ("done" in piece.roles or _is_deed(piece))}
    for piece in pieces:
        if piece.sentence in due - told and piece.role in _TELLING:
            piece.role = "due"


@lru_cache(maxsize=4096)
def _first(roles: frozenset[str], order: tuple[str, ...]) -> str | None:
    return next((role for role in order if role in roles), None)


def _opens_value(text: str, piece: Piece) -> bool:
    """`Fee charged: 5`: the verb belongs to the label."""
    return text[piece.end : piece.end + 2].lstrip().startswith((":", "="))


def _is_deed(piece: Piece) -> bool:
    """A verb opens a new statement; a noun (`Frais retrait: 100`) may be part of the label."""
    return not piece.roles.isdisjoint(DEEDS)


def _ends_note(text: str, piece: Piece) -> bool:
    """A label with its colon (or `is`) inside a free text that was not closed by a full stop, or news of a failure."""
    if "failed" in piece.roles or "pending" in piece.roles:
        return True
    return not piece.roles.isdisjoint(_NOTE_ENDS) and text[piece.end : piece.end + 2].lstrip().startswith((":", "is"))


def _labels_figure(text: str, role: str, label: Piece, piece: Piece) -> bool:
    gap = text[label.end : piece.start]
    if role == "count" and piece.code:  # "unites 2000 FCFA" is what they cost
        return False
    if piece.code is None:
        digits = sum(character.isdecimal() for character in piece.written)
        return len(gap) <= _BARE_REACH_CHARACTERS and digits <= _BARE_LONGEST_DIGITS and not _is_number_of(gap)
    return len(gap) <= _REACH_CHARACTERS[role] and _BREAKS.isdisjoint(gap.lower().split())


def _is_number_of(gap: str) -> bool:
    return any(word in {"no", "number", "numero", "id", "account", "for", "of"} for word in gap.lower().split())


def _labels_code(text: str, role: str, label: Piece, piece: Piece) -> bool:
    gap = text[label.end : piece.start]
    if len(gap) > _CODE_REACH_CHARACTERS:
        return False
    between = " ".join(gap.replace("\n", " ").strip(" .:;#=-*_()[]\"'/").lower().split())
    if between not in _BETWEEN_LABEL_AND_CODE:
        return False
    # "Trx ID: MZN24031210" begins like an amount in meticais
    return piece.code is None or (role in {"id", "ref"} and piece.text[:1].isalpha() and is_identifier(piece))


def _after_colon(text: str, piece: Piece) -> bool:
    """Behind a label that is not in the vocabulary; the sender's name at the start of the text is no label."""
    before = text[: piece.start].rstrip()
    return before.endswith((":", "=")) and len(before) > _BRAND_CHARACTERS
