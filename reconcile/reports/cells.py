"""Text that goes into a cell of somebody's spreadsheet."""

from typing import Final

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before `=`, `+`, `-`, `@` and control characters.

    Blanks before them do not help an attacker either: spreadsheets skip those.
    """
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
