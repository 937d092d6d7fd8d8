"""Folding: the many ways in which handsets and gateways write one text become one way, so that patterns stay short."""

from __future__ import annotations

import unicodedata

# Longer than any SMS chain or e-mail receipt seen; beyond it nothing is read, so that a stranger's text costs little.
MAX_TEXT_CHARACTERS = 20_000

_COMBINING_LATIN = range(0x0300, 0x0370)
_ARABIC_MARKS = frozenset({0x0640, *range(0x064B, 0x0653), 0x0670})
_SPECIAL = {
    **dict.fromkeys("\u2018\u2019\u201b\u2032\u02bc\u00b4`", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
    "\n": "\n",
    "\r": "\n",
    "\u2028": "\n",
    "\u2029": "\n",
    "\u066b": ".",  # Arabic decimal separator
    "\u066c": ",",  # Arabic thousands separator
    "\u060c": ",",
    "\u2044": "/",
    "\u2212": "-",
    "\u00b0": "o",  # n° is no
    "\u20b5": "C",  # cedi sign: "GH₵" reads "GHC"
    "\u00a2": "C",
    "\u20a6": " NGN ",
    "\u20ac": " EUR ",
    "\u00a3": " GBP ",
    "\u20b9": " INR ",
    "\u09f3": " BDT ",
    "\u00f8": "o",
    "\u00d8": "O",
    "\u0142": "l",
    "\u0131": "i",
    "\u00df": "ss",
    "\u00e6": "ae",
    "\u0153": "oe",
    "\u0152": "OE",
    "\u00ad": "",
    # Arabic and Persian letters that are written in several ways
    "\u0622": "\u0627",
    "\u0623": "\u0627",
    "\u0625": "\u0627",
    "\u0671": "\u0627",
    "\u0649": "\u064a",
    "\u06cc": "\u064a",
    "\u06a9": "\u0643",
    "\u0629": "\u0647",
}


class _Folding(dict[int, str]):
    """A translation table that works out each character when it first meets it (at most one entry a code point)."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_character(chr(code))
        return folded


def _fold_character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if ord(character) in _COMBINING_LATIN or ord(character) in _ARABIC_MARKS:
        return ""
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category in {"Zs", "Cc"}:
        return " "
    if category in {"Cf", "Cs"}:  # zero-width and direction marks; halves of surrogate pairs
        return ""
    if category == "Pd":
        return "-"
    if category in {"No", "Nl"}:  # `5000¹` is not 50001: these stay what they are
        return character
    decomposed = unicodedata.normalize("NFKD", character)
    if decomposed[:1].isascii():
        return "".join(mark for mark in decomposed if ord(mark) not in _COMBINING_LATIN)
    composed = unicodedata.normalize("NFKC", character)
    return composed if composed == character else "".join(_fold_character(part) for part in composed)


_FOLDING = _Folding()


def fold_lines(text: str) -> str:
    """The text with ASCII digits, letters without accents, plain spaces and quotes; its line breaks kept."""
    if not text.isascii():
        text = text.translate(_FOLDING)
    return "\n".join(line for line in (" ".join(line.split()) for line in text.splitlines()) if line)


def fold(text: str) -> str:
    """The same on one line, which is what templates are written against."""
    if not text.isascii():
        text = text.translate(_FOLDING)
    return " ".join(text.split())
