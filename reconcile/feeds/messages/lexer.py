"""Cutting a folded text into what matters in it: numbers, codes, currencies, dates and the words of the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from typing import Literal

from re2 import escape

from reconcile.feeds.messages.currencies import marks
from reconcile.feeds.messages.expressions import Expression
from reconcile.feeds.messages.moments import MONTHS
from reconcile.feeds.messages.vocabulary import key_of, vocabulary

Sort = Literal["url", "date", "clock", "quantity", "groups", "phone", "masked", "chunk", "word", "currency"]

# A text of only figures would have thousands; a confirmation has some thirty.
MAX_LEXEMES = 400

_MONTH = "|".join(sorted(MONTHS))
_FIGURE_PATTERNS: dict[Sort, str] = {
    "url": r"https?://[^ \n]+|\bwww\.[^ \n]+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|net|org|ly|me|link|co|io|app|to)/[^ \n]*",
    "date": (
        r"\b[0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{2,4}|\b[0-9]{2}\.[0-9]{2}\.(?:20[0-9]{2}|[0-9]{2})"
        rf"|\b[0-9]{{1,2}}(?:st|nd|rd|th)?[- ]?(?:{_MONTH})\.?(?:[-, ]{{0,2}}(?:20[0-9]{{2}}|[0-9]{{2}})\b)?"
        rf"|\b(?:{_MONTH})\.?[ -](?:[0-9]{{1,2}},? )?20[0-9]{{2}}"
    ),
    "clock": r"\b[0-9]{1,2}[:h][0-9]{2}(?:[:m][0-9]{2}s?)?(?: ?[ap]\.?m\b)?",
    "quantity": (
        r"\b[0-9]+(?:[.,][0-9]+)? ?(?:gb|mb|kb|go|mo|kwh|kw|days?|jours?|hrs?|hours?|heures?|mins?|minutes?|sms|"
        r"months?|mois|siku|weeks?|years?|ans|mn|secs?|points?)\b|\b[0-9]+(?:[.,][0-9]+)? ?%"
        r"|\b(?:gb|mb|go) ?[0-9]{1,4}\b"
    ),
    "groups": r"\b[0-9]{4,5}(?:[ -][0-9]{4,5}){2,}\b",
    "phone": r"\+[0-9]{1,3}(?:[ -]?[0-9]{2,4}){3,5}|\b0[0-9](?: [0-9]{2}){3,4}\b",
    "masked": r"\b[0-9]*[*x]{2,}[0-9*x]*|[*]{2,}[0-9]+\b|[ :(][*][0-9]+\b|[*#]+[0-9]+[*#][0-9*#]*|\bx[0-9]{3,4}\b|\b[0-9]+[*][0-9*]+",
    "chunk": (
        r"(?:\b[a-z]{1,4}_)?[a-z$#]{0,20}-?[0-9][0-9a-z]*(?:[.,'][0-9][0-9a-z]*|[/_-][0-9a-z]+|\.[a-z]+[0-9][0-9a-z]*)*"
        r"|[ \n]\.[0-9]{1,2}\b"
    ),
}


@dataclass(slots=True)
class Lexeme:
    """A piece of the text. `roles` is empty unless it is a word of the vocabulary."""

    sort: Sort
    start: int
    end: int
    text: str
    roles: frozenset[str]


_FIGURE_SORTS = tuple(_FIGURE_PATTERNS)
_NO_ROLES: frozenset[str] = frozenset()
_WORDS = frozenset({"word", "currency"})


def lex(text: str) -> list[Lexeme] | None:
    """The lexemes of a folded text in their order; None when there are more than a confirmation can have."""
    lexemes: list[Lexeme] = []
    data = text.encode()
    latin = len(data) == len(text)
    search = _anything(latin=latin).search
    at_bytes = at = 0
    while spans := search(data, at_bytes):
        if len(lexemes) == MAX_LEXEMES:
            return None
        first, last = spans[0]
        start = at + (first - at_bytes if latin else len(data[at_bytes:first].decode()))
        piece = data[first:last].decode()
        end = start + len(piece)
        at_bytes, at = last, end
        found = _roles_of(piece)
        if found is None:
            sort = "chunk" if piece.isdecimal() else _sort_of(piece.translate(_ALIKE))
            found = _NO_ROLES
        else:
            sort = "word"
        if sort in _WORDS and not latin and not _stands_alone(text, start, end):
            continue
        lexemes.append(Lexeme(sort, start, end, piece, found))
    return lexemes


@lru_cache(maxsize=1 << 15)
def _roles_of(piece: str) -> frozenset[str] | None:
    return vocabulary().roles.get(key_of(piece))


# The patterns below know digits, 0 and 2; all others are alike, so that what a piece is need rarely be asked twice.
_ALIKE = str.maketrans("13456789", "11111111")


@lru_cache(maxsize=1 << 15)
def _sort_of(piece: str) -> Sort:
    """Which of the patterns it was; asked afterwards, because RE2 tells where much faster than which."""
    spans = _figure().full(piece.encode())
    if spans is None:
        return "currency"
    return _FIGURE_SORTS[next(number for number, span in enumerate(spans[1:]) if span[0] == 0)]


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no letter of the same script touches the word. RE2 knows the edges of Latin words only; Thai has none."""
    if "\u0e00" <= text[start] <= "\u0e7f":
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isalpha() and not before.isascii()) and not (after.isalpha() and not after.isascii())


@cache
def _anything(*, latin: bool) -> Expression:
    """One expression for all that matters, without groups: RE2 takes the leftmost longest piece."""
    words = [*vocabulary().phrases, "f cfa", *(mark.lower() for mark in marks())]
    if latin:
        words = [word for word in words if word.isascii()]
    return Expression("|".join([*_FIGURE_PATTERNS.values(), *_phrase_patterns(words)]), longest=True)


# Words may be parted by a space, a line break, a hyphen, an apostrophe, a dot after an abbreviation, or nothing.
_APART = r"\.?[ \n'-]?"


def _phrase_patterns(phrases: list[str]) -> list[str]:
    """Expressions for all phrases, by whether they begin and end at the edge of a Latin word."""
    by_edges: dict[tuple[bool, bool], list[tuple[str, ...]]] = {}
    for phrase in phrases:
        for separator in "'-.":
            phrase = phrase.replace(separator, " ")  # noqa: PLW2901 - the same phrase, in its plainest form
        words = phrase.split()
        edges = _is_latin(words[0][0]), _is_latin(words[-1][-1])
        tokens = [token for word in words for token in (_APART, *(str(escape(character)) for character in word))][1:]
        by_edges.setdefault(edges, []).append(tuple(tokens))
    return [
        (r"\b" if opens else "") + _tree(sorted(set(rows))) + (r"\b" if closes else "")
        for (opens, closes), rows in by_edges.items()
    ]


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _tree(rows: list[tuple[str, ...]]) -> str:
    """What the rows (sorted, distinct) have in common stands once: the automaton stays small with thousands of phrases."""
    optional = rows[0] == ()
    branches: list[str] = []
    for first, same in groupby(filter(None, rows), key=lambda row: row[0]):
        branches.append(first + _tree([row[1:] for row in same]))
    if not branches:
        return ""
    if len(branches) == 1 and not optional:
        return branches[0]
    return f"(?:{'|'.join(branches)})" + ("?" if optional else "")


@cache
def _figure() -> Expression:
    """The patterns with digits alone, one group each, in their order of precedence."""
    return Expression("|".join(f"({pattern})" for pattern in _FIGURE_PATTERNS.values()))
