from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reconcile.feeds.messages import Catalogue, Message
from reconcile.feeds.messages.template import Example, Template, TemplateError, TemplateRow

CATALOGUE = Catalogue.load()
GENERAL = Catalogue(())
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


@pytest.mark.parametrize(("template", "example"), EXAMPLES)
def test_the_general_extractor_contradicts_no_template(template: Template, example: Example) -> None:
    reading = GENERAL.read(Message("1", example.text, country=example.country))

    assert reading.outcome in {template.row.outcome, None}
    for name in ("amount", "fee", "balance"):
        expected = getattr(example, name)
        assert getattr(reading, name) in {None if expected is None else Decimal(expected), None}, name
    assert reading.currency in {example.currency, None}
    assert reading.reference in {example.reference, None}


@pytest.mark.parametrize(("template", "example"), EXAMPLES)
def test_a_balance_runs_only_in_formats_that_say_what_their_own_account_was_credited_with(
    template: Template, example: Example
) -> None:
    reading = CATALOGUE.read(Message("1", example.text, country=example.country))

    assert reading.running_balance == (reading.balance if template.row.running_balance else None)
    assert not template.row.running_balance or template.row.kind in {"deposit", "interest", "refund"}


def test_a_balance_in_another_currency_does_not_run() -> None:
    deposit = Catalogue(
        [Template.compile(row("Depot {amount}. Solde {balance}", kind="deposit", running_balance=True))]
    )

    assert deposit.read(Message("1", "Depot 5 USD. Solde 17 USD", country="CD")).running_balance == 17
    reading = deposit.read(Message("1", "Depot 5 USD. Solde 45000 CDF", country="CD"))
    assert (reading.balance, reading.running_balance) == (45000, None)
    for wrong in ({"pattern": "Depot {amount}"}, {"pattern": "Depot {amount} {balance}", "outcome": "pending"}):
        with pytest.raises(ValidationError, match="running_balance"):
            row(**wrong, running_balance=True)


def test_another_sender_makes_a_reading_uncertain() -> None:
    text = "You have bought 250 FCFA of airtime. New balance: 90 FCFA. Trans ID: RC240811.0702.D00411"

    assert CATALOGUE.read(Message("1", text, "MaxIt", "CM")).confidence == "high"
    assert CATALOGUE.read(Message("1", text, "somebody else", "CM")).confidence == "low"


def row(pattern: str, **more: Any) -> TemplateRow:
    examples = ({"text": "a"}, {"text": "b"})
    settings = {"name": "x", "language": "fr", "kind": "airtime", "outcome": "success", "examples": examples, **more}
    return TemplateRow.model_validate({"pattern": pattern, **settings})


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("{amount} {time", r"template x: the brace before 'time' is not closed"),
        ("Achat {amuont} {amount}", r"template x: unknown slot {amuont}"),
        ("Achat {amount} ou {amount}", r"template x: the slot {amount} stands twice"),
        ("Achat ({amount}", "template x: its pattern does not compile"),
    ],
)
def test_a_template_that_cannot_be_used_is_named(pattern: str, complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint):
        Template.compile(row(pattern))


@pytest.mark.parametrize(
    ("pattern", "more", "complaint"),
    [
        ("Achat", {}, "needs the slot {amount}"),
        ("{amount}", {"kind": "gift"}, "unknown kind 'gift'"),
        ("{amount}", {"examples": ({"text": "a"},)}, "at least 2"),
        ("{amount}", {"colour": "red"}, "colour"),
    ],
)
def test_a_template_that_says_too_little_or_nonsense_is_refused(
    pattern: str, more: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        row(pattern, **more)


def test_a_file_that_holds_no_templates_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[[template]]\nname = 'Not a name'\n")

    with pytest.raises(TemplateError, match=r"mine\.toml"):
        Catalogue.load([tmp_path])


def test_two_formats_that_disagree_about_a_text_leave_it_ambiguous() -> None:
    one = Template.compile(row(r"Achat {amount} (?:[0-9]+ F)", currency="FCFA", name="one"))
    other = Template.compile(row(r"Achat (?:[0-9]+ F) {amount}", currency="FCFA", name="other"))

    reading = Catalogue([one, other]).read(Message("1", "Achat 500 F 700 F", country="CI"))

    assert (reading.status, reading.amount) == ("ambiguous", None)
    assert [str(alternative.amount) for alternative in reading.alternatives] == ["500", "700"]


def test_what_follows_a_message_may_be_an_advertisement_but_no_second_transaction() -> None:
    bought = "You have bought 250 FCFA of airtime. New balance: 90 FCFA. Trans ID: RC240811.0702.D00411."

    assert CATALOGUE.read(Message("1", bought + " Enjoy 5000 FCFA with Max it.", country="CM")).amount == 250
    assert CATALOGUE.read(Message("1", f"{bought} {bought.replace('250', '300')}", country="CM")).amount is None
