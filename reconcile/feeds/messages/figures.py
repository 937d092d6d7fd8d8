"""Which numbers of a text are money, and what the words around them say each of them is."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from reconcile.feeds.messages.currencies import currency, exponent
from reconcile.feeds.messages.numbers import DecimalMark, numeral
from reconcile.feeds.messages.vocabulary import CODE_ROLES, DEED_ROLES, FIGURE_ROLES

if TYPE_CHECKING:
    from decimal import Decimal

    from reconcile.feeds.messages.lexer import Lexeme, Sort

_LABEL_ROLES = FIGURE_ROLES | CODE_ROLES
_SUFFIXES = frozenset({"DR", "CR"})
_DIGITS = frozenset("0123456789")
_NUMERIC = frozenset("0123456789.,'")
_LETTERS_AND_MARKS = string.ascii_letters + "$#-_/.,' \n"
_STOPS = frozenset(".!?;|")
# Between a currency and its number: `Rs. 500`, `UGX: 500`, `1.234,56, MT`.
_BESIDE_BEFORE = frozenset({"", " ", ".", ". ", ":", ": ", "\n", " -", "-", ". -", " ."})
_BESIDE_AFTER = frozenset({"", " ", ", ", ",", "\n", ". -", "."})
_IDENTIFIER_DIGITS = 8
# A number of spaced groups may follow these words; after any other (`Pass 1 500 F`) its first group may be a name's.
_BEFORE_GROUPS = frozenset(
    (
        "a",
        "ak",
        "au",
        "aux",
        "by",
        "cha",
        "charge",
        "cost",
        "cout",
        "de",
        "del",
        "des",
        "du",
        "e",
        "est",
        "et",
        "foi",
        "for",
        "frais",
        "is",
        "ka",
        "kwa",
        "la",
        "le",
        "les",
        "ni",
        "of",
        "on",
        "par",
        "para",
        "por",
        "pour",
        "recu",
        "sur",
        "to",
        "waa",
        "was",
        "with",
        "y",
        "za",
    )
)


@dataclass(slots=True)
class Piece:
    """A lexeme with what it turned out to be: `number` (maybe money), `code`, `word` or `other`."""

    what: Literal["number", "code", "word", "other"]
    start: int
    end: int
    text: str
    roles: frozenset[str]
    sort: Sort
    sentence: int = 0
    # of a number
    written: str = ""
    code: str | None = None
    readable: bool = True
    cut_off: bool = False
    # what the words around it say it is; `free` when they say nothing
    role: str = field(default="free")
    label: str = ""

    def value(self, mark: DecimalMark | None, default: str | None) -> Decimal | None:
        """The amount, None where it has no certain reading."""
        if not self.readable:
            return None
        code = self.code or default
        return numeral(self.written, None if code is None else exponent(code), mark)


def pieces_of(text: str, lexemes: list[Lexeme], country: str | None) -> list[Piece]:
    """The pieces of a text in order, numbers joined with their currencies and groups, sentences counted."""
    pieces = [_piece(lexeme, country) for lexeme in lexemes]
    for piece in pieces:
        if piece.what == "number" and _is_torn(text, piece):
            piece.readable = False
    if pieces:
        pieces[-1].cut_off = pieces[-1].end == len(text) and not _looks_whole(pieces[-1].written)
    return _count_sentences(text, _join_marks(text, _join_groups(text, pieces)))


def _looks_whole(written: str) -> bool:
    """At the end of a text that may have been cut off, `3` may have been `300`; `30,000` and `12.50` are whole."""
    return len(written) > 3 and (written[-3] in ".," or written[-4] in ",. '")


def _is_torn(text: str, piece: Piece) -> bool:
    """Whether digits go on beyond what was taken for the number: then it is not the number that was written."""
    before, after = text[max(0, piece.start - 2) : piece.start], text[piece.end : piece.end + 2]
    return (
        (len(after) == 2 and after[0] in ".,'" and after[1] in _DIGITS)
        or (len(before) == 2 and before[1] in ".,'" and before[0] in _DIGITS)
        or after[:1].isnumeric()
        or before[-1:] in _DIGITS
    )


def _piece(lexeme: Lexeme, country: str | None) -> Piece:
    piece = Piece("other", lexeme.start, lexeme.end, lexeme.text, lexeme.roles, lexeme.sort)
    if lexeme.sort in {"word", "currency"}:
        piece.what = "word"
        piece.code = currency(lexeme.text, country)
    elif lexeme.sort == "chunk":
        _read_chunk(piece, country)
    elif lexeme.sort in {"phone", "masked"}:
        piece.what = "code"
        piece.text = lexeme.text.lstrip(" :(")
        piece.start = piece.end - len(piece.text)
    return piece


def _read_chunk(piece: Piece, country: str | None) -> None:
    """`Ksh3,500`, `400Ksh`, `N50.00DR` are money, `12345` is a number, everything else with a digit is a code."""
    text = piece.text
    head, hyphen, _ = text.partition("-")
    if hyphen and ("." in head or "," in head) and head[-1] in _DIGITS:  # "Rs 10,000.00-ICICI Bank"
        piece.end -= len(text) - len(head)
        piece.text = text = head
    if text.isdecimal():
        piece.what, piece.written = "number", text
        return
    first = len(text) - len(text.lstrip(_LETTERS_AND_MARKS))
    number = text.strip(_LETTERS_AND_MARKS)
    before, after = text[:first], text[first + len(number) :]
    if before.strip() == ".":
        before, number = "", "0." + number
    if after.upper() in _SUFFIXES:
        after = ""
    marks = [mark for mark in (before.rstrip("-"), after) if mark]
    codes = {currency(mark, country) for mark in marks}
    if not _NUMERIC.issuperset(number) or None in codes or len(codes) > 1:
        piece.what = "code"
        return
    piece.what = "number"
    piece.written = number
    piece.code = next(iter(codes), None)


def _join_groups(text: str, pieces: list[Piece]) -> list[Piece]:
    """`1` `500` `000,00` are one number."""
    joined: list[Piece] = []
    for piece in pieces:
        previous = joined[-1] if joined else None
        if previous is not None and text[previous.end : piece.start] == " " and _continues(previous, piece):
            previous.readable = previous.readable and _may_open_groups(text, joined)
            previous.written += " " + piece.written
            previous.code = previous.code or piece.code
            previous.end = piece.end
        else:
            joined.append(piece)
    return joined


def _join_marks(text: str, pieces: list[Piece]) -> list[Piece]:
    """A currency that stands by itself goes to the number before it or after it."""
    joined: list[Piece] = []
    for index, piece in enumerate(pieces):
        if piece.what != "word" or piece.code is None:
            joined.append(piece)
            continue
        before = pieces[index - 1] if index else None
        after = pieces[index + 1] if index + 1 < len(pieces) else None
        if before is not None and not _may_take(before, text[before.end : piece.start], _BESIDE_AFTER):
            before = None
        if after is not None and not _may_take(after, text[piece.end : after.start], _BESIDE_BEFORE, piece.code):
            after = None
        if before is not None and after is not None:
            before, after = _whose(before, after)
        if after is not None:
            after.code, after.start = piece.code, piece.start
        elif before is not None:
            before.code, before.end = piece.code, piece.end
        else:
            joined.append(piece)
    return joined


def _may_take(number: Piece, gap: str, gaps: frozenset[str], code: str | None = None) -> bool:
    return number.what == "number" and gap in gaps and number.code in {None, code}


def _whose(before: Piece, after: Piece) -> tuple[Piece | None, Piece | None]:
    """Between two numbers: `12345678901 UGX 10,000`. An identifier takes none; two amounts make both unreadable."""
    if is_identifier(before):
        return None, after
    if not is_identifier(after):
        before.readable = after.readable = False
    return before, None


def is_identifier(piece: Piece) -> bool:
    """So many digits without a mark are hardly an amount."""
    return piece.written.isdecimal() and len(piece.written) >= _IDENTIFIER_DIGITS


def _continues(previous: Piece, piece: Piece) -> bool:
    """`1` and `500` are groups of one number; `01` and `15293743` are not."""
    if previous.what != "number" or piece.what != "number":
        return False
    first = previous.written.split(" ")[0]
    whole = piece.written.replace(",", ".").split(".")[0]
    groups = previous.written.split(" ")
    return (
        1 <= len(first) <= 3
        and first.isdecimal()
        and first[0] != "0"
        and all(len(group) == 3 and group.isdecimal() for group in groups[1:])
        and len(whole) == 3
        and piece.written[:3].isdecimal()
        and previous.text[-1] in _DIGITS
    )


def _may_open_groups(text: str, joined: list[Piece]) -> bool:
    number = joined[-1]
    if " " in number.written or not number.text[0].isdecimal():
        return True
    before = text[: number.start].rstrip()
    if not before or not before[-1].isalnum():
        return True
    word = joined[-2] if len(joined) > 1 else None
    if (
        word is not None
        and word.end == len(before)
        and (word.code or not word.roles.isdisjoint(FIGURE_ROLES | DEED_ROLES))
    ):
        return True
    return before.rpartition(" ")[2].rpartition("\n")[2].lower() in _BEFORE_GROUPS


def _count_sentences(text: str, pieces: list[Piece]) -> list[Piece]:
    sentence = 0
    previous: Piece | None = None
    for piece in pieces:
        if previous is not None and _is_end(text[previous.end : piece.start], previous):
            sentence += 1
        piece.sentence = sentence
        previous = piece
    return pieces


def _is_end(gap: str, previous: Piece) -> bool:
    """Whether a sentence ends in the gap; the dot of an abbreviated label (`No.:`, `bal. is`, `Rs.`) ends none."""
    if _STOPS.isdisjoint(gap):
        return False
    if gap[0] == "." and not previous.roles.isdisjoint(_LABEL_ROLES):
        rest = gap[1:].strip(" .:#-\n")
        return rest[:1].isupper() or not _STOPS.isdisjoint(rest)
    return True
