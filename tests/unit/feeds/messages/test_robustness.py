"""What happens to messages on their way changes at most whether they are read, never what is read from them."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from reconcile.feeds.messages import Catalogue, Message
from reconcile.feeds.messages.template import Example

CATALOGUE = Catalogue.load()
EXAMPLES = [
    example for template in CATALOGUE.templates for example in template.row.examples if example.amount is not None
]
ADVERTISEMENT = "Gagnez 200% de bonus pour toute recharge de plus de 25000 FCFA, jusqu'a 77 000 FCFA."


def read(text: str, example: Example) -> Decimal | None:
    return CATALOGUE.read(Message("1", text, country=example.country)).amount


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(str.upper, id="in capitals"),
        pytest.param(lambda text: text.replace(" ", "\u00a0"), id="with no-break spaces"),
        pytest.param(lambda text: text.replace("\n", " "), id="on one line"),
        pytest.param(lambda text: text.replace(":", " : "), id="with spaces around colons"),
        pytest.param(lambda text: f"{text} {ADVERTISEMENT}", id="with an advertisement behind"),
        pytest.param(lambda text: f"{ADVERTISEMENT} {text}", id="with an advertisement before"),
        pytest.param(lambda text: text[: len(text) * 2 // 3], id="cut off"),
    ],
)
def test_no_change_on_the_way_makes_another_amount(change: Callable[[str], str]) -> None:
    for example in EXAMPLES:
        text = change(example.text)

        assert read(text, example) in {Decimal(example.amount or 0), None}, text


def test_when_the_amount_is_missing_nothing_else_becomes_the_amount() -> None:
    for example in EXAMPLES:
        written = written_amount(example)
        if example.text.count(written) == 1:  # else it is said elsewhere: "2000Rwf(1GB) igura 2000 RWF"
            text = example.text.replace(written, "")

            assert read(text, example) in {None, said_again(example, text)}, text


def said_again(example: Example, text: str) -> Decimal | None:
    """The amount, where the text still says it in another way: "2000Rwf(1GB) igura 2,000 RWF"."""
    amount = Decimal(example.amount or 0)
    return amount if f"{amount:f}" in text else None


def written_amount(example: Example) -> str:
    """The amount as it stands in the text: `1 050`, `1,050.00` …"""
    amount = Decimal(example.amount or 0)
    forms = [example.amount or "", f"{amount:,}", f"{amount:,}".replace(",", " "), f"{amount:,}".replace(",", ".")]
    forms += [form.replace(".", ",") for form in forms] + [f"{amount:,}".replace(",", " ").replace(".", ",")]
    return max((form for form in forms if form in example.text), key=len, default="\x00")
