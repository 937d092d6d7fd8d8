"""The GSM 03.38 alphabet and how many SMS a text takes.

In the default alphabet an SMS holds 160 septets (153 in each part of a longer one); one character outside of it turns the
whole text into UCS-2, where an SMS holds 70 units (67). Tables: 3GPP TS 23.038, § 6.2.1 and § 6.2.1.1.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

SEPTETS_ALONE: Final = 160
SEPTETS_IN_PART: Final = 153
UNITS_ALONE: Final = 70
UNITS_IN_PART: Final = 67
PARTS_MAX: Final = 8
"""No notice is longer than this, whatever stands in its slots; the protocol's own limit is 255."""

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = {"\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65}  # fmt: skip
_ESCAPE: Final = 0x1B
_CODES: Final[dict[str, bytes]] = {
    **{character: bytes([code]) for code, character in enumerate(_BASIC) if code != _ESCAPE},
    **{character: bytes([_ESCAPE, code]) for character, code in _EXTENSION.items()},
}
_PLAIN: Final = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "…": "...", "•": "*"})  # fmt: skip  # noqa: RUF001


class TextTooLongError(ValueError):
    """A text takes more than `PARTS_MAX` SMS. The message gives its length alone: the text may hold a phone number."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a text takes: `units` are septets in the default alphabet (`gsm`), 16-bit units in `ucs2`."""

    alphabet: Literal["gsm", "ucs2"]
    units: int
    parts: int


def plain(text: str) -> str:
    """The text with what the alphabet lacks made simple: ô → o, curly quotes → straight, special spaces → plain.

    What has no simple form stays, and makes the SMS a UCS-2 one.
    """
    return "".join(_simple(character) for character in text.translate(_PLAIN))


def size(text: str) -> Size:
    """How many units and SMS the text takes."""
    codes = [_CODES.get(character) for character in text]
    if None not in codes:
        units = sum(len(code) for code in codes if code is not None)
        return Size("gsm", units, len(_packed([code for code in codes if code], SEPTETS_ALONE, SEPTETS_IN_PART)))
    characters = _ucs2(text)
    units = sum(len(character) for character in characters) // 2
    return Size("ucs2", units, len(_packed(characters, 2 * UNITS_ALONE, 2 * UNITS_IN_PART)))


def encode(text: str) -> tuple[Literal["gsm", "ucs2"], list[bytes]]:
    """The text as octets, one entry per SMS: one septet an octet, as SMPP carries them, or UTF-16 big-endian.

    No escape and no surrogate pair is torn apart between two parts. Raises `TextTooLongError`.
    """
    alphabet = size(text).alphabet
    if alphabet == "gsm":
        parts = _packed([_CODES[character] for character in text], SEPTETS_ALONE, SEPTETS_IN_PART)
    else:
        parts = _packed(_ucs2(text), 2 * UNITS_ALONE, 2 * UNITS_IN_PART)
    if len(parts) > PARTS_MAX:
        raise TextTooLongError(f"a text of {len(text)} characters takes {len(parts)} SMS; at most {PARTS_MAX} are sent")
    return alphabet, parts


def _simple(character: str) -> str:
    if character in _CODES:
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    bare = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    return bare if bare and all(part in _CODES for part in bare) else character


def _ucs2(text: str) -> list[bytes]:
    return [character.encode("utf-16-be") for character in text]


def _packed(characters: list[bytes], alone: int, in_part: int) -> list[bytes]:
    """The characters as one SMS when they fit into `alone` octets, else as parts of at most `in_part`."""
    whole = b"".join(characters)
    if len(whole) <= alone:
        return [whole]
    parts, current = [], bytearray()
    for character in characters:
        if len(current) + len(character) > in_part:
            parts.append(bytes(current))
            current.clear()
        current += character
    return [*parts, bytes(current)]
