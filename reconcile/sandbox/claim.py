"""Reading a notice the way its customer would: what does it say about which purchase?"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Claim(StrEnum):
    """The four things that a notice may say."""

    NOT_ARRIVED = "not_arrived"
    STILL_NOT_ARRIVED = "still_not_arrived"
    CREDITED = "credited"
    ARRIVED = "arrived"


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a text says, repetitions folded: `named_at` and `promised_by` are `HH:MM`, amounts in minor units."""

    claims: frozenset[Claim]
    references: frozenset[str]
    amounts_minor: frozenset[int]
    named_at: str | None
    promised_by: str | None


_CLAIMS: Final = {
    Claim.NOT_ARRIVED: re.compile(r"pas encore arriv[ée]|\bnot arrived yet\b", re.IGNORECASE),
    Claim.STILL_NOT_ARRIVED: re.compile(r"toujours pas arriv[ée]|\bstill not arrived\b", re.IGNORECASE),
    Claim.CREDITED: re.compile(r"crédit[ée]e?s? à \d|\bcredited at \d", re.IGNORECASE),
    Claim.ARRIVED: re.compile(r"\bsont arrivés|\bhave arrived\b", re.IGNORECASE),
}
_NAMED_AT: Final = re.compile(
    r"(?:crédit[ée]e?s? à |credited at |arrivés à |have arrived (?:at |\())(\d{1,2}) ?[h:] ?(\d{2})", re.IGNORECASE
)
_PROMISED_BY: Final = re.compile(r"(?:prochaine nouvelle avant|next news by) (\d{1,2}) ?[h:] ?(\d{2})", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"\bRC\d{6}\.\d{4}\.[A-Z]\d{5}\b")
_NUMBER: Final = r"(\d{1,3}(?:[ ,.]\d{3})+|\d+)"
# A number beside its currency, on either side; never a piece of a time, of a case number or of a longer word.
_AMOUNT: Final = re.compile(
    rf"(?<![\w:.,\-]){_NUMBER} ?(?:F ?CFA|XOF|CFA|F)(?![\w\-])|(?<![\w\-])(?:F ?CFA|XOF) ?{_NUMBER}(?![\w\-])"
)


def read_notice(text: str) -> Reading:
    """What `text` says, in French or English, with any spacing."""
    plain = _plain(text)
    without_references = _REFERENCE.sub(" ", plain)
    return Reading(
        claims=frozenset(claim for claim, pattern in _CLAIMS.items() if pattern.search(plain)),
        references=frozenset(_REFERENCE.findall(plain)),
        amounts_minor=frozenset(_to_minor(a or b) for a, b in _AMOUNT.findall(without_references)),
        named_at=_time(_NAMED_AT, plain),
        promised_by=_time(_PROMISED_BY, plain),
    )


def _plain(text: str) -> str:
    """One kind of space and one form of each letter."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _time(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return None if found is None else f"{int(found[1]):02d}:{found[2]}"


def _to_minor(written: str) -> int:
    return int("".join(character for character in written if character.isdigit()))
