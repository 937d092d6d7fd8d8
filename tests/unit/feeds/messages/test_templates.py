from decimal import Decimal

import pytest

from reconcile.feeds.messages import Catalogue, Message
from reconcile.feeds.messages.template import Example, Template

CATALOGUE = Catalogue.load()
EXAMPLES = [
    pytest.param(template, example, id=f"{template.name}-{number}")
    for template in CATALOGUE.templates
    for number, example in enumerate(template.row.examples, start=1)
]


@pytest.mark.parametrize(("template", "example"), EXAMPLES)
def test_a_worked_example_is_read_as_it_says(template: Template, example: Example) -> None:
    reading = CATALOGUE.read(Message("1", example.text, country=example.country))

    assert reading.status == "parsed"
    assert (reading.template, reading.kind, reading.outcome) == (template.name, template.row.kind, template.row.outcome)
    for name in ("amount", "fee", "balance"):
        expected = getattr(example, name)
        assert getattr(reading, name) == (None if expected is None else Decimal(expected)), name
    for name in ("currency", "reference", "account", "payer"):
        assert getattr(reading, name) == getattr(example, name), name
    occurred_at = reading.occurred_at and reading.occurred_at.isoformat()
    assert occurred_at == example.occurred_at
    assert reading.confidence == "high"
