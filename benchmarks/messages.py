"""Messages whose amount and receipt are known: the worked examples of the templates, with other figures in both."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from reconcile.feeds.messages import Catalogue
from reconcile.feeds.messages.template import Example

OPERATOR: Final = "orange"
"""Templates whose name begins so are the messages of one operator."""
_SEPARATOR: Final = "[ ,.]?"
_HIDDEN: Final = "\0"
_RUN_OF_DIGITS: Final = re.compile(r"[0-9]{3,}(?=[^0-9]*$)")


@dataclass(frozen=True, slots=True)
class Shape:
    """A text with a gap for the digits of its amount, and one for its receipt where it has one.

    `digits`: the amount's own digits and separators before its decimals, `decimals` what follows.
    """

    country: str | None
    text: str
    digits: str
    decimals: str
    reference: str | None

    @classmethod
    def of(cls, example: Example) -> "Shape | None":
        """None for a text that does not show the amount once and plainly."""
        if example.amount is None:
            return None
        whole, _, decimals = example.amount.partition(".")
        text = example.text.replace(example.reference, _HIDDEN) if example.reference else example.text
        pattern = rf"(?<![0-9.,+*/:-])({_SEPARATOR.join(whole)})(?=(?:[.,]{decimals or '0+'})?(?![0-9]|[.,][0-9]))"
        found = list(re.finditer(pattern, text))
        if len(found) != 1 or len(whole) < 2:
            return None
        start, end = found[0].span(1)
        with_gap = (
            text[:start].replace("{", "{{").replace("}", "}}")
            + "{amount}"
            + text[end:].replace("{", "{{").replace("}", "}}")
        )
        return cls(example.country, with_gap.replace(_HIDDEN, "{reference}"), found[0][1], decimals, example.reference)

    def message(self, number: int, chance: random.Random) -> tuple[str, str, str | None]:
        """A line of input, its amount, and its receipt."""
        digits = chance.choice("123456789") + re.sub("[0-9]", lambda _: chance.choice("0123456789"), self.digits[1:])
        reference = self.reference and _RUN_OF_DIGITS.sub(
            lambda run: "".join(chance.choice("0123456789") for _ in run[0]), self.reference
        )
        text = self.text.format(amount=digits, reference=reference)
        row = {"id": f"m{number}", "text": text, "country": self.country, "received_at": "2025-07-13T10:00:00Z"}
        amount = re.sub("[^0-9]", "", digits) + (f".{self.decimals}" if self.decimals else "")
        return json.dumps(row), amount, reference


def shapes(operator: str = "") -> list[Shape]:
    templates = [
        one for one in Catalogue.load().templates if one.name.startswith(operator) and one.row.outcome == "success"
    ]
    found = (Shape.of(example) for template in templates for example in template.row.examples)
    return [shape for shape in found if shape is not None]


def write(folder: Path, count: int, operator: str, seed: int) -> tuple[Path, Path]:
    """A file of messages, and one that says what they say."""
    chance, chosen = random.Random(seed), shapes(operator)
    name = f"{operator or 'all'}-{count}"
    messages, truth = folder / f"{name}.jsonl", folder / f"{name}.truth.jsonl"
    with messages.open("w") as lines, truth.open("w") as said:
        for number in range(count):
            line, amount, reference = chance.choice(chosen).message(number, chance)
            lines.write(line + "\n")
            said.write(json.dumps([amount, reference]) + "\n")
    return messages, truth


def compared(readings: Path, truth: Path) -> dict[str, int]:
    """How many lines were read rightly, wrongly, or not at all. Raises `ValueError` unless there is one reading for each."""
    found = {"right": 0, "abstained": 0, "wrong_amounts": 0, "wrong_references": 0}
    lines = 0
    for reading, (amount, reference) in _pairs(readings, truth):
        lines += 1
        if reading["amount"] is None or (reference and reading["reference"] is None):
            found["abstained"] += 1
        elif Decimal(reading["amount"]) != Decimal(amount):
            found["wrong_amounts"] += 1
        elif reading["reference"] != reference:
            found["wrong_references"] += 1
        else:
            found["right"] += 1
    return {**found, "lines": lines}


def _pairs(readings: Path, truth: Path) -> Iterator[tuple[dict[str, str | None], tuple[str, str | None]]]:
    with readings.open() as read, truth.open() as said:
        for reading, true in zip(read, said, strict=True):
            yield json.loads(reading), json.loads(true)
