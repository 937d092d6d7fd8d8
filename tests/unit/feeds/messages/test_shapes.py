"""What fits a text is remembered for all texts of its shape; that must never be seen in what fits."""

import random
import re

import pytest

from reconcile.feeds.messages import Catalogue, Message
from reconcile.feeds.messages.shapes import MAX_SHAPE_BYTES, names_a_digit
from reconcile.feeds.messages.template import Template, TemplateRow
from reconcile.feeds.messages.text import fold

CATALOGUE = Catalogue.load()
TEXTS = [example.text for template in CATALOGUE.templates for example in template.row.examples]


def one_by_one(data: bytes) -> list[tuple[str, list[tuple[int, int]]]]:
    tried = ((template.name, template.expression.full(data)) for template in CATALOGUE.templates)
    return [(name, spans) for name, spans in tried if spans is not None]


def test_what_fits_is_what_fits_when_each_template_is_tried_by_itself() -> None:
    chance = random.Random(1)
    for _ in range(400):
        text = chance.choice(TEXTS)
        for _ in range(2):  # the second time its shape is known
            text = re.sub(r"[0-9]", lambda _: chance.choice("0123456789"), text)
            data = fold(text).encode()
            assert [(fit.template.name, fit.spans) for fit in CATALOGUE.fitting(data)] == one_by_one(data), text


def test_a_template_that_names_a_digit_is_not_taken_for_its_neighbour() -> None:
    taxed = Catalogue(
        template(f"tax-{rate}", f"Paye {{amount}} avec {rate}% de TVA. Ref {{reference}}") for rate in (15, 18)
    )
    for rate, name in ((15, "tax-15"), (18, "tax-18"), (15, "tax-15"), (20, None)):
        reading = taxed.read(Message("1", f"Paye 1050 FCFA avec {rate}% de TVA. Ref AB{rate}00", country="CI"))
        assert (reading.template if reading.confidence == "high" else None) == name


def test_a_long_text_is_read_without_being_remembered() -> None:
    noted = Catalogue([template("noted", "Paye {amount}\\. {note}")])
    for amount in (100, 200):
        text = f"Paye {amount} FCFA. " + "a" * MAX_SHAPE_BYTES
        assert noted.read(Message("1", text, country="CI")).amount == amount


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (r"Solde [0-9]+", False),
        (r"[A-Z0-9]{8,} (?P<amount1>[0-9]{1,3}) \d \w", False),
        (r"[^0-9]{2}", False),
        (r"15% VAT", True),
        (r"(?:254|0)[0-9]+", True),
        (r"[1-5]", True),
        (r"[0-46-9]", True),
        (r"\{5}", True),
        (r"\x35", True),
    ],
)
def test_a_pattern_that_tells_one_digit_from_another_is_known_as_such(pattern: str, names: bool) -> None:
    assert names_a_digit(pattern) == names


def template(name: str, pattern: str) -> Template:
    settings = {"name": name, "language": "fr", "kind": "payment", "outcome": "success", "currency": "FCFA"}
    examples = ({"text": "a"}, {"text": "b"})
    return Template.compile(TemplateRow.model_validate({**settings, "pattern": pattern, "examples": examples}))
